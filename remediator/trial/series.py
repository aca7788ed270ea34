"""Values over time as promtool writes them in its tests.

The notation is promtool's (docs: unit testing rules): `a+bxn` is a, a+b, a+2b ... n+1 values, `a-bxn` the same
downwards, `axn` n+1 times a, `_` no sample, `_xn` n of them, `stale` the end of a series.
"""

import math
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta

Sample = float | None
"""None where there is no sample."""

MOST = 10_000
"""Samples of one series."""

_NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?[Ii]nf|[Nn]a[Nn]"
_PIECE = re.compile(
    rf"(?P<first>{_NUMBER})(?:(?P<sign>[-+])(?P<step>{_NUMBER}))?(?:x(?P<times>[0-9]+))?"
    r"|(?P<gap>_|stale)(?:x(?P<gaps>[0-9]+))?"
)


def parse_series(text: str) -> tuple[Sample, ...]:
    """The samples of `1x10 0x5`. Raises ValueError naming the piece that cannot be read."""
    samples: list[Sample] = []
    for piece in text.split():
        found = _PIECE.fullmatch(piece)
        if found is None or (found["step"] and found["times"] is None):
            raise ValueError(f"{piece!r} is no piece of a series (write 1x10, 0+5x10, _x3 or single numbers)")
        if int(found["times"] or found["gaps"] or 0) + len(samples) > MOST:
            raise ValueError(f"more than {MOST} samples")
        samples += _samples(found)
    if not samples:
        raise ValueError("a series without samples")
    return tuple(samples)


def _samples(found: re.Match[str]) -> Sequence[Sample]:
    if found["gap"]:
        return [None] * int(found["gaps"] or 1)
    first, step = float(found["first"]), float(found["step"] or 0)
    if found["sign"] == "-":
        step = -step
    return [first + step * number for number in range(int(found["times"] or 0) + 1)]


def boundaries(samples: Sequence[Sample], interval: timedelta) -> Iterator[timedelta]:
    """When the samples, the first of which is at 0, become others; there is none before them nor after them."""
    before: Sample = None
    for number, sample in enumerate((*samples, None)):
        if sample != before:
            yield interval * number
        before = sample


def fires(sample: Sample) -> bool:
    """Whether an alert with this value fires: any number but 0, as with Prometheus' ALERTS."""
    return sample is not None and not math.isnan(sample) and sample != 0
