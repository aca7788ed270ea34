"""Whether each service level objective is met, and how long its error budget lasts."""

from remediator.digest.section import Found, Line, fine, look, unknown
from remediator.digest.sources import Sources
from remediator.domain.slo import SloStatus

NONE = "no objective is known: neither Sloth's nor Pyrra's series, nor `slos` in remediator.yml"
_SOON = 7.0
"""Days."""


async def fill(sources: Sources) -> Found:
    found = await sources.kit.slos.statuses()
    if not found:
        return Found(lines=(unknown(NONE),))
    return Found(
        lines=tuple(_line(each) for each in found), details={"slos": [each.to_json() for each in found]}
    )


def _line(status: SloStatus) -> Line:
    name = status.objective.name
    if status.left is None:
        return unknown(f"{name}: {status.why}")
    said = f"{name}: {status.left:.0%} of its error budget left"
    if status.per_day is not None:
        said += f", {status.per_day:+.1%} a day"
    if status.days_left is not None:
        said += f", used up in {status.days_left:.1f} days"
    soon = status.days_left is not None and status.days_left < _SOON
    return look(said) if soon or status.state in ("used_up", "burning") else fine(said)
