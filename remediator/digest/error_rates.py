"""What share of each objective's events went wrong in the period, beside what may."""

from remediator.digest.section import Found, Line, fine, look, unknown
from remediator.digest.slos import NONE
from remediator.digest.sources import Sources
from remediator.domain.slo import ErrorRate


async def fill(sources: Sources) -> Found:
    found = await sources.kit.slos.error_rates(sources.stretch.length)
    if not found:
        return Found(lines=(unknown(NONE),))
    return Found(
        lines=tuple(_line(each) for each in found),
        details={"error_rates": [each.to_json() for each in found]},
    )


def _line(rate: ErrorRate) -> Line:
    if rate.ratio is None:
        return unknown(f"{rate.name}: {rate.why}")
    said = f"{rate.name}: {rate.ratio:.3%} of events went wrong, {rate.budget:.3%} may"
    return look(said) if rate.ratio > rate.budget else fine(said)
