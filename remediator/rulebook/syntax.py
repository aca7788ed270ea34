"""What libyaml finds wrong with a text, in words for people who never read its source."""

import re
from typing import NamedTuple

import yaml

from remediator.rulebook.problem import Fault, Place

_CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7})(?= |\r?$)", re.MULTILINE)
_SHORT_TAG = "tag:yaml.org,2002:"


class _Said(NamedTuple):
    """What one of libyaml's sentences means most of the time, and what to do then."""

    message: str
    hint: str = ""
    where_it_began: bool = False
    """Whether the mistake is where the thing began that libyaml could not finish."""


_GOES_ON = _Said(
    "this does not go on from the lines above",
    "(is it indented as they are? are their quotes closed? a ' inside '' is written twice)",
)
_MEANINGS = {
    "did not find expected key": _GOES_ON,
    "did not find expected '-' indicator": _GOES_ON,
    "found unexpected end of stream": _Said("the quote that opens here is not closed", where_it_began=True),
    "did not find expected ',' or ']'": _Said("a list that opens here is not closed with ]", "", True),
    "did not find expected ',' or '}'": _Said("a mapping that opens here is not closed with }", "", True),
    "found unknown escape character": _Said(
        "in double quotes a backslash begins an escape, and this is none",
        "(use single quotes, or write \\\\)",
    ),
    "mapping values are not allowed in this context": _Said(
        "a colon where no key can be", "(quote the text it stands in, or indent the line as the one above)"
    ),
    "could not find expected ':'": _Said("a key without a value", "(write a colon and a space)", True),
    "did not find expected node content": _Said("a value is missing before this"),
    "found character that cannot start any token": _Said("no text begins so", "(quote it if it is text)"),
    "did not find expected alphabetic or numeric character": _Said(
        "no text begins so", "(quote it if it is text)", True
    ),
    "did not find expected comment or line break": _Said(
        "behind | or > the text begins in the next line", "(quote it if it is text)"
    ),
    "found duplicate %YAML directive": _Said("a second %YAML line"),
}


def syntax_fault(reason: yaml.MarkedYAMLError, source: str) -> Fault:
    """Where a text stops being YAML, and why. What is not known here is told as libyaml does."""
    conflict = _CONFLICT.search(source)
    if conflict is not None:
        line = source.count("\n", 0, conflict.start()) + 1
        return Fault((), "git left a merge conflict here", place=Place(line, 1))
    mark, began = reason.problem_mark, reason.context_mark
    if mark is not None and source[mark.index : mark.index + 1] == "\t":
        return Fault((), "a tab where YAML wants spaces", place=_place(mark))
    said = _MEANINGS.get(reason.problem or "")
    if said is None:
        words = ", ".join(part for part in (reason.context, reason.problem) if part)
        return Fault((), words, place=_place(mark or began))
    return Fault((), said.message, said.hint, place=_place(began if said.where_it_began and began else mark))


def written_tag(tag: str) -> str:
    """A tag as it stands in the file, as far as its long form tells."""
    return f"!!{tag.removeprefix(_SHORT_TAG)}" if tag.startswith(_SHORT_TAG) else tag


def _place(mark: object) -> Place:
    line, column = getattr(mark, "line", 0), getattr(mark, "column", 0)
    return Place(line + 1, column + 1)
