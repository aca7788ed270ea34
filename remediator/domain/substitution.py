"""`${labels.x}` and `${target.x}` in rule files: plain substitution from a closed list, quoted for PromQL."""

import re
from collections.abc import Callable, Iterator

from remediator.domain.run_view import RunView

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_PIECE = re.compile(
    r"""(?P<pattern>[=!]~(?:\s|\#[^\n]*\n)*)?(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|(?P<raw>`[^`]*`))"""
    r"|(?P<comment>\#[^\n]*)|(?P<bare>\$\{[^}]*\})"
)
"""Of PromQL, what matters here: strings, those that are patterns, comments, and placeholders in none of them."""
_META = re.compile(r"[\\.+*?()|\[\]{}^$]")
"""What Go's regexp.QuoteMeta escapes: a value in a pattern means itself."""
_LABEL = re.compile(r"labels\.([a-zA-Z_][a-zA-Z0-9_]*)")
_TARGET_FIELDS = ("kind", "namespace", "name")


_NAMES_NOTHING = re.compile(r"[\s.*+?%^$]*|\s*-.*", re.DOTALL)
"""Blank, nothing but wildcards, or like an option: no value of a label that says what is meant."""


class NothingToSubstitute(ValueError):
    """A placeholder whose value is missing, or names nothing, for this run; the sentence says which."""


def unknown_placeholders(text: str) -> list[str]:
    """Placeholders that can never be filled, for the rule checker."""
    return [inner for inner in _PLACEHOLDER.findall(text) if not _known(inner)]


def _known(inner: str) -> bool:
    return _LABEL.fullmatch(inner) is not None or inner in {f"target.{field}" for field in _TARGET_FIELDS}


def substitute(text: str, run: RunView) -> str:
    """Fill the placeholders of a PromQL text from this run, so that each value means itself: in patterns too.

    Raises NothingToSubstitute when a value is missing, blank, a wildcard or like an option: such a matcher would
    select everything, or something else than was meant.
    """

    return _filled(text, lambda inner: _value_of(inner, run))


def placeholder(text: str) -> str:
    """What stands inside of a text that is one placeholder and nothing else. Raises ValueError."""
    found = _PLACEHOLDER.fullmatch(text)
    if found is None or not _known(found.group(1)):
        raise ValueError(f"{text!r} is not one of ${{labels.NAME}}, ${{target.kind}}, .namespace and .name")
    return found.group(1)


def bound(text: str, run: RunView) -> str:
    """The value of a text that is one placeholder, unquoted: for binding to a query, never for its text.

    Raises as `substitute` does.
    """
    return _value_of(placeholder(text), run)


def _value_of(inner: str, run: RunView) -> str:
    label = _LABEL.fullmatch(inner)
    labels = run.alert.labels if run.alert is not None else {}
    value = labels.get(label.group(1), "") if label else _target_field(inner, run)
    if not value.strip():
        whose = "for this alert" if run.alert is not None else "in a run that no alert made"
        raise NothingToSubstitute(f"${{{inner}}} has no value {whose}")
    if _NAMES_NOTHING.fullmatch(value):
        raise NothingToSubstitute(f"${{{inner}}} is {value!r} for this alert, which names nothing")
    return value


def tried_out(text: str, value: str) -> str:
    """Every placeholder filled with one value, to see without a run whether a query can be evaluated."""
    return _filled(text, lambda _: value)


def misplaced(text: str) -> Iterator[tuple[str, int]]:
    """Placeholders where no escape keeps a value from being read as PromQL: why, and how many characters in."""
    for piece in _PIECE.finditer(text):
        if piece["raw"] is not None and (found := _PLACEHOLDER.search(piece[0])) is not None:
            yield f"{found[0]} in backquotes, which know no escapes", piece.start() + found.start()
        elif piece["bare"] is not None:
            yield f"{piece['bare']} outside of quotes would be read as PromQL", piece.start()


def _filled(text: str, value_of: Callable[[str], str]) -> str:
    def piece(found: re.Match[str]) -> str:
        def value(placeholder: re.Match[str]) -> str:
            told = value_of(placeholder[1])
            return _quoted(_META.sub(r"\\\g<0>", told) if found["pattern"] is not None else told)

        return _PLACEHOLDER.sub(value, found[0])

    return _PIECE.sub(piece, text)


def _target_field(inner: str, run: RunView) -> str:
    field = inner.removeprefix("target.")
    if field not in _TARGET_FIELDS or field == inner:
        raise NothingToSubstitute(f"${{{inner}}} is not something that can be filled in")
    return str(getattr(run.target, field))


def _quoted(value: str) -> str:
    """Escaped for the inside of a PromQL string in either kind of quotes (Go's escapes)."""
    escaped = value.replace("\\", "\\\\").replace('"', "\\x22").replace("'", "\\x27")
    return escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
