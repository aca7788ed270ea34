"""What a plan was decided on must still be so when it is carried out."""

from remediator.domain.answers import GuardVerdict
from remediator.domain.change import Change
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import Guard


class AsPlanned(Guard):
    """Refuses when replicas, strategy, owner, autoscalers or PodDisruptionBudgets changed since the plan was made.

    The template is not among them: claim and effect test it themselves. Replicas that an autoscaler moves are no
    change, since it was there when the plan was made. A plan is not mended: the next run makes another.
    """

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        if run.basis is None:
            return self.unknown("the plan does not say what it was based on")
        now = await kit.basis(change.target)
        if now is None:
            return self.unknown(f"{change.target} does not exist")
        inputs = {"planned_on": run.basis.to_json(), "now": now.to_json()}
        changed = run.basis.changes_to(now)
        if changed:
            return self.refuse(f"since the plan was made {'; '.join(changed)}", inputs, plan_again=True)
        return self.allow("what the plan was based on is unchanged", inputs)
