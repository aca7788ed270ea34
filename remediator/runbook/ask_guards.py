"""Asks every guard about a change, and turns their verdicts into the run's."""

import asyncio
from collections.abc import Awaitable, Collection, Iterable, Sequence
from dataclasses import replace

from remediator.domain.answers import GuardAnswer, GuardVerdict, Limit
from remediator.domain.change import Change
from remediator.fault_points import FaultPoint, reach
from remediator.run import End, Entry, Hold, Run, State
from remediator.runbook.call_step import Unanswered, call_step
from remediator.runbook.desk import Desk
from remediator.step import Guard, TargetGuard
from remediator.store import attempts, counts, episodes, pauses


def guards_for(desk: Desk, run: Run, change: Change) -> tuple[Guard, ...]:
    """The always-on guards and the rule's own that apply to this change."""
    return tuple(each for each in (*desk.always_on, *run.guards) if each.applies_to(change, run.view))


async def ask_guards(desk: Desk, run: Run, change: Change) -> tuple[GuardVerdict, ...]:
    """Every guard's verdict on this change, counts included, from facts read now."""
    guards = guards_for(desk, run, change)
    async with desk.kit.kube.one_look() as kube:
        kit = replace(desk.kit, kube=kube)
        looked = await asyncio.gather(
            *(_answer(each, each.verdict(change, run.view, kit)) for each in guards)
        )
    reach(FaultPoint.J15)
    limits = [limit for each in guards for limit in each.limits(change, run.view)]
    return await _answered(desk, (*looked, *await _counted(desk, run, limits, change)))


async def ask_about_plan(desk: Desk, run: Run) -> list[GuardVerdict]:
    """Every guard's verdict on every change of the run's plan."""
    verdicts: list[GuardVerdict] = []
    for change in run.plan.changes if run.plan else ():
        verdicts.extend(await ask_guards(desk, run, change))
    return verdicts


async def ask_about_target(desk: Desk, run: Run) -> tuple[GuardVerdict, ...]:
    """The verdicts of those guards that need no change to judge; asked before anything is looked at for long."""
    guards = [each for each in desk.always_on if isinstance(each, TargetGuard) and each.concerns(run.view)]
    return await _about_target(desk, run, guards)


async def ask_before_write(desk: Desk, run: Run, *, counts_too: bool) -> tuple[GuardVerdict, ...]:
    """The verdicts of those guards that are asked once more right before every write: pauses and freezes.

    Without their counts for whoever has these tested in a transaction of its own.
    """
    return await _about_target(desk, run, before_each_write(desk), counts_too=counts_too)


def before_each_write(desk: Desk) -> list[TargetGuard]:
    """The guards of which nothing older than a moment is believed when a write begins."""
    return [each for each in desk.always_on if isinstance(each, TargetGuard) and each.before_each_write]


async def _about_target(
    desk: Desk, run: Run, guards: Sequence[TargetGuard], *, counts_too: bool = True
) -> tuple[GuardVerdict, ...]:
    async with desk.kit.kube.one_look() as kube:
        kit = replace(desk.kit, kube=kube)
        looked = await asyncio.gather(*(_answer(each, each.on_target(run.view, kit)) for each in guards))
    limits = [limit for each in guards for limit in each.target_limits(run.view)] if counts_too else []
    return await _answered(desk, (*looked, *await _counted(desk, run, limits, None)))


async def _counted(
    desk: Desk, run: Run, limits: Sequence[Limit], change: Change | None
) -> list[GuardVerdict]:
    if not limits:
        return []
    async with desk.database.connection() as connection:
        return [await counts.count(connection, limit, run, change) for limit in limits]


async def _answer(guard: Guard, asked: Awaitable[GuardVerdict | None]) -> GuardVerdict | None:
    answer = await call_step(guard.key(), asked, guard.deadline)
    return guard.unknown(answer.why) if isinstance(answer, Unanswered) else answer


async def _answered(desk: Desk, answers: Iterable[GuardVerdict | None]) -> tuple[GuardVerdict, ...]:
    """The verdicts, counted and stamped. A switch that one of them saw is a pause of the database before it is told."""
    now = desk.kit.clock.now()
    verdicts = [each for each in answers if each is not None]
    switches = [switch for each in verdicts for switch in each.switches]
    if switches:
        await pauses.latch_all(desk.database, switches)
    for each in verdicts:
        desk.metrics.guard_verdicts.labels(each.guard, each.answer).inc()
    return tuple(
        each if each.observed_at is not None else each.model_copy(update={"observed_at": now})
        for each in verdicts
    )


def entries(verdicts: Iterable[GuardVerdict]) -> tuple[Entry, ...]:
    """The verdicts as journal lines."""
    return tuple(
        Entry("guard", f"{each.guard}: {_word(each)}, {each.why}", each.to_json()) for each in verdicts
    )


def _word(verdict: GuardVerdict) -> str:
    words = {GuardAnswer.ALLOW: "yes", GuardAnswer.ASK: "ask a person", GuardAnswer.REFUSE: "no"}
    return words.get(verdict.answer, "cannot know")


async def refusal(
    desk: Desk, run: Run, verdicts: Sequence[GuardVerdict], agreed_to: Collection[str] | None = None
) -> Hold | End | None:
    """What the verdicts make of the run: nothing when all allow, an end when one refusal lasts, else a hold.

    A guard that asks stands in the way unless its very sentence is among `agreed_to`, which are those of
    the run's plan when nothing else is said: what a person was not asked about, nobody has agreed to.
    A lasting refusal ends BLOCKED, or ESCALATED where it hands over; only what a new plan may answer is planned again.
    A hold ends when the run's alerts clear (CANCELLED) or when it has lasted too long (BLOCKED). Once
    the run has changed something, neither is true any more and people have to take over.
    """
    if agreed_to is None:
        agreed_to = run.plan.asked if run.plan else ()
    against = [
        each for each in verdicts if not each.allows and not (each.asks and each.sentence in agreed_to)
    ]
    if not against:
        return None
    why = "; ".join(each.sentence for each in against)
    lines = entries(verdicts)
    changed = await _changed_something(desk, run)
    if not changed and await cleared(desk, run):
        return End(f"the alert cleared before anything was changed ({why})", lines, state=State.CANCELLED)
    lasting = [each for each in against if not each.passing]
    waited = desk.kit.clock.now() - run.rung_since
    if lasting or waited > desk.rhythm.give_up_holding_after:
        if not lasting:
            why = f"it did not become possible in {waited.total_seconds():.0f} s: {why}"
        hands_over = changed or any(each.hands_over for each in lasting)
        if hands_over:
            return End(why, lines, state=State.ESCALATED)
        plan_again = all(each.plan_again for each in lasting)
        return End(why, lines, state=State.BLOCKED, plan_again=plan_again)
    return Hold(why, lines, seconds=desk.rhythm.hold.total_seconds())


async def cleared(desk: Desk, run: Run) -> bool:
    """Whether every alert of this run has been closed; what a person asked for waits for none."""
    if run.alert is None:
        return False
    async with desk.database.connection() as connection:
        return not await episodes.any_open(connection, run.id, run.alert.source, run.alert.fingerprint)


async def _changed_something(desk: Desk, run: Run) -> bool:
    """Whether an earlier rung, or an earlier action of this one, has been attempted."""
    async with desk.database.connection() as connection:
        return any(not each.changed_nothing for each in await attempts.of_run(connection, run.id))
