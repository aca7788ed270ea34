"""How commands print: aligned tables for people, JSON for programs."""

import json
import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from remediator.incidents.printable import printable


def print_json(content: Any) -> None:
    """One document. Only ASCII, so that no terminal acts on what an alert says."""
    print(json.dumps(content, indent=2))


def print_table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Aligned columns under their names; on a terminal, lines are cut to its width."""
    cells = [names, *([printable("" if cell is None else str(cell)) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    most = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for row in cells:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        print(line if most is None or len(line) <= most else f"{line[: most - 3]}...")


def print_section(title: str, rows: Sequence[Sequence[str]]) -> None:
    """Rows under a title, their columns but the last aligned; nothing when there are no rows."""
    cells = [[printable(each) for each in row] for row in rows]
    columns = max((len(row) for row in cells), default=0) - 1
    widths = [max(len(row[column]) for row in cells if len(row) > column) for column in range(columns)]
    for number, row in enumerate(cells):
        if number == 0:
            print(title)
        aligned = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  " + "  ".join([*aligned, *row[len(aligned) :]]).rstrip())


def moment(text: str | None) -> str:
    """A time of the API for a table, in UTC."""
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}" if text else ""
