"""YAML to plain values, with the position of every key and value.

Anchors, aliases, merge keys, tags, a second key of the same name and a second document are refused:
each of them makes a file mean something that its reader does not see.
"""

import re
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from remediator.rulebook.core_schema import resolve
from remediator.rulebook.document import LINE_BREAK, Document, Spot
from remediator.rulebook.problem import Fault, Place, YamlPath
from remediator.rulebook.syntax import syntax_fault, written_tag

MOST_BYTES = 1 << 20
_DEEPEST = 32

# What YAML calls printable; a byte order mark is taken away before.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Unreadable(ValueError):
    """The text cannot be read on from here."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def read_yaml(raw: bytes) -> Document:
    """Read one document. What is wrong with it is in its `faults`; nothing is raised."""
    document = Document()
    try:
        document.source = _decoded(raw)
        _Reading(document).read()
    except Unreadable as reason:
        document.faults.append(reason.fault)
        document.readable = False
    return document


def _decoded(raw: bytes) -> str:
    if len(raw) > MOST_BYTES:
        raise Unreadable(Fault((), f"larger than {MOST_BYTES >> 20} MiB", place=Place(1, 1)))
    try:
        source = raw.decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        before = raw[: reason.start].decode("utf-8-sig")
        raise Unreadable(Fault((), "not text in UTF-8", place=_place_after(before))) from reason
    found = _UNPRINTABLE.search(source)
    if found is not None:
        message = f"a character that YAML does not allow: U+{ord(found.group()):04X}"
        raise Unreadable(Fault((), message, place=_place_after(source[: found.start()])))
    return source


def _place_after(text: str) -> Place:
    lines = LINE_BREAK.split(text)
    return Place(len(lines), len(lines[-1]) + 1)


def _place_of(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    path: YamlPath
    content: dict[str, Any] | list[Any]
    discarded: bool
    """It belongs, at whatever depth, to a key that was refused."""
    key: str | None = None
    """The key whose value comes next."""
    key_refused: bool = False

    @property
    def next_path(self) -> YamlPath:
        if isinstance(self.content, list):
            return (*self.path, len(self.content))
        return (*self.path, self.key or "")

    @property
    def next_discarded(self) -> bool:
        return self.discarded or self.key_refused

    @property
    def key_comes_next(self) -> bool:
        return isinstance(self.content, dict) and self.key is None

    def put(self, value: Any) -> None:
        if isinstance(self.content, list):
            self.content.append(value)
        elif self.key is not None and not self.key_refused:
            self.content[self.key] = value
        self.key, self.key_refused = None, False


class _Reading:
    """Builds a document from the parser's events, on a stack of its own: depth costs no recursion."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.open: list[_Open] = []
        self.documents = 0

    def read(self) -> None:
        try:
            for event in yaml.parse(self.document.source, Loader=yaml.CSafeLoader):
                if isinstance(event, yaml.DocumentStartEvent):
                    self._one_document(event)
                else:
                    self._take(event)
        except yaml.MarkedYAMLError as reason:
            raise Unreadable(syntax_fault(reason, self.document.source)) from reason

    def _one_document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            why = "a second document: one file holds one"
            raise Unreadable(Fault((), why, "split it", place=_place_of(event.start_mark)))

    def _take(self, event: Any) -> None:
        match event:
            case ScalarEvent() if self.open and self.open[-1].key_comes_next:
                self._key(self.open[-1], event)
            case ScalarEvent():
                self._whole(self._meaning(event), event)
            case AliasEvent():
                self._fault(f"the alias *{event.anchor}: write out what it stands for", event)
                self._whole(None, event)
            case MappingStartEvent():
                self._begin({}, event)
            case SequenceStartEvent():
                self._begin([], event)
            case MappingEndEvent() | SequenceEndEvent():
                ended = self.open.pop().content
                self._put(tuple(ended) if isinstance(ended, list) else ended)

    def _key(self, mapping: _Open, event: Any) -> None:
        """Remember the key. A refused one keeps its turn, so that its value is read and discarded."""
        key = str(event.value)
        mapping.key, mapping.key_refused = key, True
        first = self.document.keys.get(mapping.next_path)
        if key == "<<" and event.implicit[0]:
            self._fault("a merge key: write out what it stands for", event)
        elif self._meaning(event) != key:
            self._fault("a key that is not text", event, "(quote it)")
        elif first is not None and not mapping.discarded:
            self._fault(f"the same key a second time, first in line {first.line}", event)
        else:
            mapping.key_refused = False
            if not mapping.discarded:
                self.document.keys[mapping.next_path] = _place_of(event.start_mark)

    def _meaning(self, event: Any) -> Any:
        self._refuse_marks(event)
        if not event.implicit[0]:
            return event.value
        try:
            return resolve(event.value)
        except ValueError as reason:
            self._fault(str(reason), event, "(quote it if it is text)")
            return None

    def _refuse_marks(self, event: Any) -> None:
        if event.anchor is not None:
            self._fault(f"the anchor &{event.anchor}: aliases are not used here", event)
        if event.tag is not None:
            self._fault(
                f"the tag {written_tag(event.tag)}: tags are not used here", event, "(quote what is text)"
            )

    def _begin(self, content: dict[str, Any] | list[Any], event: Any) -> None:
        self._refuse_marks(event)
        if len(self.open) >= _DEEPEST:
            why = f"nested deeper than {_DEEPEST} levels"
            raise Unreadable(Fault(self._path()[:1], why, place=_place_of(event.start_mark)))
        self._remember_place(event)
        discarded = bool(self.open) and self.open[-1].next_discarded
        self.open.append(_Open(self._path(), content, discarded))

    def _whole(self, value: Any, event: Any) -> None:
        self._remember_place(event)
        self._put(value)

    def _remember_place(self, event: Any) -> None:
        if self.open and self.open[-1].key_comes_next:
            why, hint = "a key that is not text", "(quote it; a template has to be rendered before)"
            raise Unreadable(Fault(self.open[-1].path, why, hint, place=_place_of(event.start_mark)))
        if not (self.open and self.open[-1].next_discarded):
            start, end = event.start_mark, event.end_mark
            style = getattr(event, "style", None)
            self.document.values[self._path()] = Spot(_place_of(start), start.index, end.index, style)

    def _put(self, value: Any) -> None:
        if self.open:
            self.open[-1].put(value)
        else:
            self.document.content = value

    def _path(self) -> YamlPath:
        return self.open[-1].next_path if self.open else ()

    def _fault(self, message: str, event: Any, hint: str = "") -> None:
        place = _place_of(event.start_mark)
        self.document.faults.append(Fault(self._path(), message, hint, place=place))
