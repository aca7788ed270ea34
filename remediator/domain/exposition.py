"""What a service tells of itself on /metrics, in the text format of Prometheus."""

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from remediator.domain.pattern import search

_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)")
_COMMENT = re.compile(r"# (?:TYPE|HELP) ([a-zA-Z_:][a-zA-Z0-9_:]*)")
_SUFFIXES = ("_total", "_sum", "_count", "_bucket", "_created")
_COUNTS = ("counter", "histogram", "summary")
_LONGEST_LINE = 16 * 1024
"""Characters; the parser takes four times as long for a line of twice the length."""


class Reading(NamedTuple):
    """The samples that were chosen, by name and labels, and which of them count up."""

    values: Mapping[str, float]
    counting: frozenset[str]
    left_out: int
    """Lines that were chosen and not read."""


def read(text: str, pattern: str, most: int) -> Reading:
    """The samples of all families whose name the RE2 `pattern` is found in, at most so many.

    Only their lines are given to the parser, which takes its time: longer ones are left out, and a large page is not to
    be read where others wait. Raises ValueError when they are none of this format.
    """
    chosen, samples, overlong = [], 0, 0
    for line in text.split("\n"):  # what else breaks a line may stand in a label
        comment = _COMMENT.match(line)
        found = comment or _SAMPLE.match(line)
        if found is None or not search(pattern, found[1]):
            continue
        if len(line) > _LONGEST_LINE:
            overlong += comment is None
            continue
        samples += comment is None
        if comment is not None or samples <= most:
            chosen.append(line)
    values: dict[str, float] = {}
    counting = set()
    for family in text_string_to_metric_families("\n".join(chosen) + "\n"):
        for sample in family.samples:
            name = _named(sample.name, sample.labels)
            values[name] = sample.value
            if family.type in _COUNTS and sample.name.endswith(_SUFFIXES):
                counting.add(name)
    return Reading(values, frozenset(counting), overlong + max(0, samples - most))


def differences(first: Reading, second: Reading, seconds: float) -> dict[str, float]:
    """How much each counter grew a second from one reading to the next. One that fell began anew, and counts from 0."""
    found = {}
    for name in second.counting & first.values.keys():
        before, after = first.values[name], second.values[name]
        if math.isfinite(before) and math.isfinite(after) and seconds > 0:
            found[name] = (after - before if after >= before else after) / seconds
    return found


def _named(name: str, labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    return f"{name}{{{inside}}}" if inside else name
