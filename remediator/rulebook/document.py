"""A rule file as it was written: its content, and where each key and value of it stands."""

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from remediator.rulebook.problem import Fault, Place, YamlPath

LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What YAML 1.1, and so libyaml, counts as the end of a line."""

_QUOTES = {"'", '"'}
_DOUBLE_QUOTED_CHARACTER = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)|.", re.DOTALL)


class Spot(NamedTuple):
    """The stretch of the source a value is written in, and how it is quoted there."""

    place: Place
    start: int
    end: int
    style: str | None


@dataclass(slots=True)
class Document:
    """What a file says: mappings are dicts, sequences tuples, and every path knows its place."""

    source: str = ""
    content: Any = None
    faults: list[Fault] = field(default_factory=list)
    readable: bool = True
    """False when reading stopped early; then there is no content to check."""
    values: dict[YamlPath, Spot] = field(default_factory=dict)
    keys: dict[YamlPath, Place] = field(default_factory=dict)

    def place(self, fault: Fault) -> Place:
        """Line and column of a fault, as exactly as can be told."""
        if fault.place is not None:
            return fault.place
        if fault.at_key and fault.path in self.keys:
            return self.keys[fault.path]
        path = fault.path
        while path and path not in self.values:
            path = path[:-1]
        spot = self.values.get(path)
        if spot is None:
            return Place(1, 1)
        if fault.offset is None or path != fault.path:
            return spot.place
        return Place(spot.place.line, spot.place.column + self._columns(spot, fault.offset))

    def _columns(self, spot: Spot, offset: int) -> int:
        """How many columns after its start a text has this character; 0 for a text over several lines."""
        raw = self.source[spot.start : spot.end]
        if LINE_BREAK.search(raw):
            return 0
        column = 1 if spot.style in _QUOTES else 0
        for _ in range(offset):
            if spot.style == "'":
                column += 2 if raw.startswith("''", column) else 1
            elif spot.style == '"' and (found := _DOUBLE_QUOTED_CHARACTER.match(raw, column)):
                column = found.end()
            else:
                column += 1
        return column
