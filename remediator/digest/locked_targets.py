"""What may not be changed just now: targets that a run holds, breakers, pauses, freezes and storms."""

from datetime import timedelta

from remediator.digest.section import Found, Line, fine, look
from remediator.digest.sources import Sources
from remediator.domain.duration import format_duration
from remediator.store import breakers, held_targets, pauses, storms
from remediator.store.held_targets import HeldTarget

_LONG = timedelta(hours=1)


async def fill(sources: Sources) -> Found:
    async with sources.database.connection() as connection:
        held = await held_targets.held(connection)
        opened = await breakers.all_open(connection)
        still = await pauses.open_pauses(connection)
        storming = await storms.in_force(connection)
    lines = [
        *map(_held, held),
        *(
            look(f"{each.target}: its breaker is open until {each.until:%Y-%m-%d %H:%M} UTC: {each.why}")
            for each in opened
        ),
        *((look if each.in_force else fine)(f"{each.name}: {each.sentence}") for each in still),
        *(look(each.why) for each in storming),
    ]
    return Found(
        lines=tuple(lines) or (fine("nothing is locked, paused or left to people"),),
        details={
            "held": [each.to_json() for each in held],
            "breakers": [each.to_json() for each in opened],
            "pauses": [each.shown() for each in still],
            "storms": [each.to_json() for each in storming],
        },
    )


def _held(target: HeldTarget) -> Line:
    lasting = format_duration(timedelta(seconds=round(target.seconds)))
    run = f"run {target.run_id} of {target.rule}"
    said = f"{target.target}: {run} holds it for {lasting} ({target.state}): {target.why}"
    if target.state == "UNKNOWN":
        return look(f"{said}; `remediator runs settle {target.run_id}` once somebody has looked")
    return look(said) if target.seconds >= _LONG.total_seconds() else fine(said)
