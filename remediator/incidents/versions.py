"""The table of versions a rollback chose among, or found none good of."""

from collections.abc import Collection, Mapping
from typing import Any

from remediator.incidents.moment import Row

VERSIONS = "last_known_good"
"""The evidence that holds the table."""

_MOST = 8


def versions_table(details: Mapping[str, Any], chosen: Collection[str]) -> list[Row]:
    """A row for each candidate, newest first: version, whether it is good, why or why not."""
    seen = details.get("details") or {}
    candidates = seen.get("candidates") or []
    if not candidates:
        return [(str(details.get("summary", "")),)]
    rows: list[Row] = [_row(each, chosen) for each in candidates[:_MOST]]
    left_out = len(candidates) - _MOST
    return [*rows, (f"and {left_out} older ones",)] if left_out > 0 else rows


def _row(candidate: Mapping[str, Any], chosen: Collection[str]) -> Row:
    title = str(candidate.get("title"))
    judged = "good" if candidate.get("good") else "no"
    return (title, "chosen" if title in chosen else judged, " ".join(candidate.get("reasons") or ()))
