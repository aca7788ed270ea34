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
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from remediator.rulebook.core_schema import resolve
from remediator.rulebook.document import LINE_BREAK, Document
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
    """A collection whose end has not come yet; the outermost holds the document itself."""

    path: YamlPath
    content: dict[str, Any] | list[Any]
    next_path: YamlPath
    discarded: bool = False
    """It belongs, at whatever depth, to a key that was refused."""
    key: str | None = None
    """The key whose value comes next."""
    key_refused: bool = False

    @property
    def key_comes_next(self) -> bool:
        return self.key is None and isinstance(self.content, dict)

    def put(self, value: Any) -> None:
        content = self.content
        if isinstance(content, list):
            content.append(value)
            self.next_path = (*self.path, len(content))
            return
        if self.key is not None and not self.key_refused:
            content[self.key] = value
        self.key, self.key_refused = None, False
        self.next_path = (*self.path, "")


class _Reading:
    """Builds a document from the parser's events, on a stack of its own: depth costs no recursion."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.open = [_Open(path=(), content=[], next_path=())]
        self.documents = 0

    def read(self) -> None:
        try:
            for event in yaml.parse(self.document.source, Loader=yaml.CSafeLoader):
                self._take(event, self.open[-1])
        except yaml.MarkedYAMLError as reason:
            raise Unreadable(syntax_fault(reason, self.document.source)) from reason

    def _one_document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            why = "a second document: one file holds one"
            raise Unreadable(Fault((), why, "split it", place=_place_of(event.start_mark)))

    def _take(self, event: Any, inner: _Open) -> None:
        match event:
            case ScalarEvent():
                self._scalar(inner, event)
            case MappingStartEvent():
                self._begin(inner, {}, event)
            case SequenceStartEvent():
                self._begin(inner, [], event)
            case MappingEndEvent() | SequenceEndEvent():
                content = self.open.pop().content
                self.open[-1].put(tuple(content) if isinstance(content, list) else content)
            case AliasEvent():
                self._fault(f"the alias *{event.anchor}: write out what it stands for", event)
                self._whole(inner, None, event)
            case DocumentStartEvent():
                self._one_document(event)
            case DocumentEndEvent():
                (self.document.content,) = self.open[0].content

    def _scalar(self, inner: _Open, event: Any) -> None:
        if inner.key_comes_next:
            self._key(inner, event)
        else:
            self._whole(inner, self._meaning(event), event)

    def _key(self, mapping: _Open, event: Any) -> None:
        """Remember the key. A refused one keeps its turn, so that its value is read and discarded."""
        key = str(event.value)
        mapping.key, mapping.key_refused = key, True
        mapping.next_path = (*mapping.path, key)
        if key == "<<" and event.implicit[0]:
            self._fault("a merge key: write out what it stands for", event)
        elif self._meaning(event) != key:
            self._fault("a key that is not text", event, "(quote it)")
        elif key in mapping.content and not mapping.discarded:
            first = self.document.place_of_key(mapping.next_path)
            self._fault(f"the same key a second time, first in line {first.line}", event)
        else:
            mapping.key_refused = False
            if not mapping.discarded:
                self.document.keys[mapping.next_path] = event.start_mark.index

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

    def _begin(self, outer: _Open, content: dict[str, Any] | list[Any], event: Any) -> None:
        self._refuse_marks(event)
        if len(self.open) > _DEEPEST:
            why = f"nested deeper than {_DEEPEST} levels"
            raise Unreadable(Fault(outer.next_path[:1], why, place=_place_of(event.start_mark)))
        self._remember(outer, event)
        path = outer.next_path
        first: str | int = 0 if isinstance(content, list) else ""
        self.open.append(_Open(path, content, (*path, first), outer.discarded or outer.key_refused))

    def _whole(self, inner: _Open, value: Any, event: Any) -> None:
        self._remember(inner, event)
        inner.put(value)

    def _remember(self, inner: _Open, event: Any) -> None:
        """Where the value stands that comes next."""
        if inner.key_comes_next:
            why, hint = "a key that is not text", "(quote it; a template has to be rendered before)"
            raise Unreadable(Fault(inner.path, why, hint, place=_place_of(event.start_mark)))
        if not (inner.discarded or inner.key_refused):
            self.document.values[inner.next_path] = (event.start_mark.index, event.end_mark.index)

    def _fault(self, message: str, event: Any, hint: str = "") -> None:
        place = _place_of(event.start_mark)
        self.document.faults.append(Fault(self.open[-1].next_path, message, hint, place=place))
