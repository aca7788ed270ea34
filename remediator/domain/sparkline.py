"""A line of numbers as a line of text."""

import math
from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], least: float | None = None, most: float | None = None) -> str:
    """One character a value, from the lowest bar for `least` to the highest for `most`; a dot for what is missing.

    Without them the smallest and the largest of the values.
    """
    known = [each for each in values if each is not None and math.isfinite(each)]
    low = min(known, default=0.0) if least is None else least
    high = max(known, default=0.0) if most is None else most
    return "".join(_bar(each, low, high) for each in values)


def _bar(value: float | None, low: float, high: float) -> str:
    if value is None or not math.isfinite(value):
        return "·"
    if high <= low:
        return _BARS[0]
    height = (min(max(value, low), high) - low) / (high - low)
    return _BARS[min(int(height * len(_BARS)), len(_BARS) - 1)]
