"""What a run leaves to people, filled in with what is so at its end. Nothing of it is ever run here."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from remediator.catalogue import PROCEDURES
from remediator.domain.handover import Handover, Known, NotKnown, belongs, filled_in
from remediator.facts.sources import DEADLINE, SOURCES
from remediator.incidents.handed_over import HANDOVER
from remediator.kit import Kit
from remediator.run import Entry, Run, State
from remediator.runbook.call_step import Unanswered, call_step
from remediator.runbook.desk import Desk

_PEOPLE_TAKE_OVER = (State.ESCALATED, State.BLOCKED)


async def handed_over(desk: Desk, run: Run, state: State) -> tuple[Handover, ...]:
    """The procedures that the rule names, where the run ends with people taking over; else none.

    One that is known not to apply is left out: nobody raises a limit that was not met.
    """
    wanted = [PROCEDURES[each] for each in run.rule.otherwise.hand_over]
    if not wanted or state not in _PEOPLE_TAKE_OVER:
        return ()
    async with desk.kit.kube.one_look() as kube:
        known = await _known(
            run, replace(desk.kit, kube=kube), {fact for each in wanted for fact in each.facts}
        )
    now = desk.kit.clock.now()
    return tuple(filled_in(each, known, now) for each in wanted if belongs(each, known))


async def _known(run: Run, kit: Kit, facts: Iterable[str]) -> Known:
    """Side by side, each with its deadline: one that cannot be told takes no other with it."""
    asked = sorted(facts)
    answers = await asyncio.gather(
        *(call_step(each, SOURCES[each](run.view, kit), DEADLINE) for each in asked)
    )
    return {
        fact: NotKnown(answer.why.removeprefix(f"{fact}: ")) if isinstance(answer, Unanswered) else answer
        for fact, answer in zip(asked, answers, strict=True)
    }


def entry(handover: Handover) -> Entry:
    """Its line of the journal."""
    open_steps = f", {handover.left_out} of them not filled in" if handover.left_out else ""
    said = f"{len(handover.steps)} steps{open_steps}; has to agree first: {handover.approver}"
    return Entry(HANDOVER, f"{handover.procedure}, {said}", handover.to_json())
