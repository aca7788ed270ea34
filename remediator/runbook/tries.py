"""What a run tried, rung by rung, and what came of each: for whoever takes over."""

from remediator.run import Run, State
from remediator.store import attempts, journal
from remediator.store.attempts import Attempt
from remediator.store.database import Connection


async def tries_of(connection: Connection, run: Run, ending: str) -> str:
    """One sentence for every rung in which something was attempted; empty when nothing was.

    `ending` is why the last of them is not followed by another.
    """
    made: dict[int, list[Attempt]] = {}
    for each in await attempts.of_run(connection, run.id):
        made.setdefault(each.rung, []).append(each)
    helped_not = [
        line.text.partition(": ")[2]
        for line in await journal.of_run(connection, run.id)
        if line.kind == "state" and (line.details.get("from"), line.details.get("to")) == _NEXT_RUNG
    ]
    came_of = dict(enumerate(helped_not))
    return " ".join(
        f"Tried {number}: {_did(tried)}: {came_of.get(rung, ending)}."
        for number, (rung, tried) in enumerate(sorted(made.items()), start=1)
    )


_NEXT_RUNG = (State.ACTED, State.PLANNED)


def _did(tried: list[Attempt]) -> str:
    return " and ".join(
        f"{each.action} at {each.intended_at:%H:%M} ({(each.outcome or 'its outcome is not known').replace('_', ' ')})"
        for each in tried
    )
