"""Who has to agree to a plan, and whether those who did still count."""

from remediator.domain.answers import Refusal
from remediator.domain.levels import Agreement, agreement, level_of
from remediator.errors import Retryable
from remediator.run import Plan, Run
from remediator.runbook.desk import Desk
from remediator.store import approvals
from remediator.store.approvals import ApprovalRequest, Approved


def needed_for(desk: Desk, run: Run, plan: Plan) -> Agreement | Refusal:
    """Who has to agree to this plan, or why it is never made."""
    level = level_of((change.action for change in plan.changes), desk.levels)
    return agreement(level, run.mode, plan.reasons)


def approval_for(desk: Desk, run: Run) -> Approved | Refusal | None:
    """The approval an intent of this run has to use; None when its plan needs nobody."""
    plan = run.plan or Plan(rung=run.rung, changes=())
    needed = needed_for(desk, run, plan)
    if isinstance(needed, Refusal):
        return needed
    if needed.people == 0:
        return None
    return Approved(rung=run.rung, digest=run.digest_of(plan, needed), people=needed.people)


async def objection(desk: Desk, run: Run) -> Refusal | None:
    """Why the run's plan may not be carried out as far as people are concerned; passing when nobody can tell."""
    approved = approval_for(desk, run)
    if approved is None or isinstance(approved, Refusal):
        return approved
    async with desk.database.connection() as connection:
        asked = await approvals.open_request(connection, run.id)
        now = await approvals.now(connection)
    if asked is None:
        return approvals.NOT_ASKED
    return approvals.against(asked, approved, now) or await counts_no_more(desk, asked)


async def counts_no_more(desk: Desk, asked: ApprovalRequest) -> Refusal | None:
    """Why too few of those who agreed may still approve now; passing when that cannot be told.

    One more who agreed than was needed takes nothing away when they may not any more.
    """
    counted = 0
    lost: list[str] = []
    untold: list[str] = []
    for each in asked.who_count:
        try:
            if await desk.people.holds(each.principal, "approve"):
                counted += 1
            else:
                lost.append(f"{each.who}, who agreed, lacks the role approve now")
        except Retryable as reason:
            untold.append(f"whether {each.who}, who agreed, still may cannot be told: {reason.sentence}")
    if counted >= asked.people:
        return None
    return Refusal(why="; ".join([*untold, *lost]), passing=counted + len(untold) >= asked.people)
