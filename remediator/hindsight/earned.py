"""Whether what a rule would have done in shadow speaks for letting it ask, or act."""

from typing import Literal

from remediator.domain.confidence import Share
from remediator.domain.value import Value
from remediator.settings.sections import EarnsAsk, Shadow

Earned = Literal["nothing", "ask", "act"]


class Promotion(Value):
    """What a rule has earned, and what it lacks for more."""

    earned: Earned
    lacks: tuple[str, ...]
    """What keeps it from the next mode, a sentence's part each; empty for a rule that has earned act."""


def promotion(precision: Share, harmed: int, thresholds: Shadow) -> Promotion:
    """The lower end of the interval decides: a few good decisions are no proof. What has earned act has earned ask."""
    for_ask = _lacks("ask", precision, harmed, thresholds.ask)
    if for_ask:
        return Promotion(earned="nothing", lacks=for_ask)
    for_act = _lacks("act", precision, harmed, thresholds.act)
    return Promotion(earned="ask" if for_act else "act", lacks=for_act)


def _lacks(mode: str, precision: Share, harmed: int, wanted: EarnsAsk) -> tuple[str, ...]:
    found = []
    if precision.of < wanted.decisions:
        found.append(
            f"{mode} takes {wanted.decisions} decisions whose end is known, there are {precision.of}"
        )
    if precision.low < wanted.precision:
        end = f"the lower end of its interval is {precision.low:.2f}"
        found.append(f"{mode} takes a precision of {wanted.precision:.2f}, {end}")
    if wanted.harmed is not None and harmed > wanted.harmed:
        found.append(f"{mode} allows {wanted.harmed} that would have harmed, there are {harmed}")
    return tuple(found)
