"""A timeline as text: times on the left, what happened on the right, aligned, wrapped to the width."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from textwrap import wrap

from remediator.incidents.moment import Moment, Row, lasted
from remediator.incidents.printable import printable
from remediator.incidents.timeline import Timeline

WIDTH = 100
"""Columns; wide enough for names, narrow enough for a terminal beside a dashboard."""

_NARROWEST = 24


def as_text(shown: Timeline, width: int = WIDTH) -> str:
    """The whole timeline, ending with a line break."""
    lines = [printable(shown.title)]
    lines += [f"  {line}" for line in aligned(shown.facts, width - 2)]
    lines.append("")
    several = len({each.run_id for each in shown.moments if each.run_id is not None}) > 1
    labels = [_label(each, several) for each in shown.moments]
    longest = max([len(each) for each in labels], default=0)
    before: datetime | None = None
    for moment, label in zip(shown.moments, labels, strict=True):
        if before is None or moment.at.date() != before.date():
            lines.append(f"  {'':>7}  {moment.at:%Y-%m-%d} UTC")
        lines += _moment(moment, label.ljust(longest), shown.began_at, before, width)
        before = moment.at
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _label(moment: Moment, several_runs: bool) -> str:
    of_run = f"run {moment.run_id}"
    if not several_runs or moment.run_id is None or moment.label == of_run:
        return moment.label
    return f"{of_run} {moment.label}"


def _moment(
    moment: Moment, label: str, began_at: datetime, before: datetime | None, width: int
) -> Iterator[str]:
    ago, clock = f"+{lasted(moment.at - began_at)}", f"{moment.at:%H:%M:%S}"
    if before is not None and clock == f"{before:%H:%M:%S}" and moment.at.date() == before.date():
        ago, clock = "", ""
    first = f"  {ago:>7}  {clock:8}  {label}  "
    for number, line in enumerate(aligned(moment.rows, width - len(first))):
        yield (first if number == 0 else " " * len(first)) + line


def aligned(rows: Sequence[Row], width: int) -> list[str]:
    """Rows as lines: cells in columns two spaces apart, the last cell of each row wrapped."""
    clean = [tuple(printable(cell) for cell in row) for row in rows]
    return [line for row in clean for line in _row(row, _widths(clean), width)]


def _widths(rows: Iterable[Row]) -> list[int]:
    """Of every column but the rows' last cells, which take what is left."""
    widths: list[int] = []
    for row in rows:
        for column, cell in enumerate(row[:-1]):
            if column == len(widths):
                widths.append(0)
            widths[column] = max(widths[column], len(cell))
    return widths


def _row(row: Row, widths: Sequence[int], width: int) -> Iterator[str]:
    start = "".join(f"{cell:<{widths[column]}}  " for column, cell in enumerate(row[:-1]))
    room = max(_NARROWEST, width - len(start))
    for number, line in enumerate(wrap(row[-1], room, break_on_hyphens=False) or [""]):
        yield (start if number == 0 else " " * len(start)) + line
