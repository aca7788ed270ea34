"""The guards' verdicts of one run as tables: each with what it looked at, and what it held that against."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from remediator.cli.output import moment, print_table

Json = Mapping[str, Any]

_NAMES = ("GUARD", "ANSWER", "OBSERVED (UTC)", "WHY", "INPUTS AND THRESHOLDS")


def print_verdicts(journal: Sequence[Json]) -> None:
    """One table for each time the guards were asked and it was written down, oldest first."""
    for at, verdicts in _askings(journal):
        print(f"\nguards asked at {moment(at)}")
        print_table(_NAMES, [_row(each) for each in verdicts])


def _askings(journal: Sequence[Json]) -> Iterator[tuple[str, list[Json]]]:
    """Verdicts that were stored together: one transaction has one time for all its lines."""
    together: list[Json] = []
    at = ""
    for line in (each for each in journal if each["kind"] == "guard"):
        if together and line["at"] != at:
            yield at, together
            together = []
        at = line["at"]
        together.append(line["details"])
    if together:
        yield at, together


def _row(verdict: Json) -> tuple[object, ...]:
    inputs = verdict.get("inputs") or {}
    told = ", ".join(f"{name}={_short(value)}" for name, value in inputs.items())
    return (
        verdict["guard"],
        verdict["answer"],
        moment(verdict.get("observed_at")),
        verdict["why"],
        told,
    )


def _short(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
