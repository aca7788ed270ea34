"""A rule file as it was written: its content, and where each key and value of it stands."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from remediator.rulebook.problem import Fault, Place, YamlPath

LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What YAML 1.1, and so libyaml, counts as the end of a line."""

_QUOTES = {"'", '"'}
_DOUBLE_QUOTED_CHARACTER = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)|.", re.DOTALL)


@dataclass
class Document:
    """What a file says: mappings are dicts, sequences tuples, and every path knows its place.

    Of each place only the offset in the source is kept, as few are ever asked for.
    """

    source: str = ""
    content: Any = None
    faults: list[Fault] = field(default_factory=list)
    readable: bool = True
    """False when reading stopped early; then there is no content to check."""
    values: dict[YamlPath, tuple[int, int]] = field(default_factory=dict)
    """Where each value begins and ends."""
    keys: dict[YamlPath, int] = field(default_factory=dict)
    """Where each key begins."""

    def place(self, fault: Fault) -> Place:
        """Line and column of a fault, as exactly as can be told."""
        if fault.place is not None:
            return fault.place
        if fault.at_key and fault.path in self.keys:
            return self.place_of_key(fault.path)
        path = fault.path
        while path and path not in self.values:
            path = path[:-1]
        if path not in self.values:
            return Place(1, 1)
        start, end = self.values[path]
        place = self._place_at(start)
        if fault.offset is None or path != fault.path:
            return place
        return Place(place.line, place.column + _columns(self.source[start:end], fault.offset))

    def place_of_key(self, path: YamlPath) -> Place:
        """Line and column of a key that is there."""
        return self._place_at(self.keys[path])

    def _place_at(self, offset: int) -> Place:
        line = bisect_right(self._lines, offset)
        return Place(line, offset - self._lines[line - 1] + 1)

    @cached_property
    def _lines(self) -> Sequence[int]:
        """Where each line begins."""
        return [0, *(found.end() for found in LINE_BREAK.finditer(self.source))]


def _columns(raw: str, offset: int) -> int:
    """How many columns after its start a text, as written, has this character; 0 for one over several lines."""
    if LINE_BREAK.search(raw):
        return 0
    quote = raw[:1]
    column = 1 if quote in _QUOTES else 0
    for _ in range(offset):
        if quote == "'":
            column += 2 if raw.startswith("''", column) else 1
        elif quote == '"' and (found := _DOUBLE_QUOTED_CHARACTER.match(raw, column)):
            column = found.end()
        else:
            column += 1
    return column
