r"""Alertmanager's matchers: `{alertname="HighErrorRate", severity=~"critical|page", silenced!="true"}`.

The grammar is that of Alertmanager's UTF-8 parser (matcher/parse): names and values are bare words
or double-quoted with Go's escapes, a trailing comma is allowed, a missing label is an empty string,
and a regular expression must match the whole value. Two things are stricter here. The braces, which
amtool lets one leave out, must be there, because a rule file shows at a glance which texts are
matchers. And a line that matches every alert, or none, is refused.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Literal, cast

from remediator.domain.pattern import full_match, search

Operator = Literal["=", "!=", "=~", "!~"]

# unicode.IsSpace of Go, which is not str.isspace: that one takes U+001C to U+001F too.
_SPACE = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_TOKEN = re.compile(
    rf"""(?P<space>[{_SPACE}]+)
      | (?P<operator>!=|!~|=~|=)
      | (?P<mark>[{{}},])
      | (?P<quoted>"(?:[^"\\]|\\.)*")
      | (?P<bare>[^{_SPACE}{{}}!=~,\\"'`]+)""",
    re.VERBOSE | re.DOTALL,
)
_GO_CHARACTER = re.compile(
    r"\\(?:(?P<simple>[abfnrtv\\\"])|x(?P<byte>[0-9a-fA-F]{2})|(?P<octal>[0-3][0-7]{2})"
    r"|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8}))|(?P<itself>[^\\\n]+)"
)
_SIMPLE = dict(zip('abfnrtv\\"', '\a\b\f\n\r\t\v\\"', strict=True))
_BARE_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_PLAIN_WORD = re.compile(r"[\w:/ -]*", re.ASCII)
_PLAIN_WORDS = re.compile(rf"{_PLAIN_WORD.pattern}(?:\|{_PLAIN_WORD.pattern})*", re.ASCII)
_GROUP = re.compile(r"\([^()]*\)")
_NOT_ONLY_BARS = re.compile(r"[()\\]|\[[^\]]*\|")
"""What makes a bar something else than the end of an alternative: groups, escapes, sets of characters with a bar."""


class MatcherError(ValueError):
    """Not a usable matcher; `offset` is how many characters into the text it goes wrong."""

    def __init__(self, sentence: str, offset: int) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.offset = offset


# RE2 costs a microsecond a look, and storms bring the same values again and again.
_full_match = lru_cache(maxsize=1 << 14)(full_match)


def _accepts(pattern: str, prefixes: tuple[str, ...], value: str) -> bool:
    return value.startswith(prefixes) and _full_match(pattern, value)


def _rejects(pattern: str, prefixes: tuple[str, ...], value: str) -> bool:
    return not _accepts(pattern, prefixes, value)


def _prefixes(pattern: str) -> tuple[str, ...]:
    """Plain characters, with one of which every value begins that the pattern accepts: most values need no RE2 then."""
    if "|" not in pattern or _NOT_ONLY_BARS.search(pattern):
        return (_prefix(pattern),)
    return tuple(dict.fromkeys(map(_prefix, pattern.split("|"))))


def _prefix(pattern: str) -> str:
    plain = _PLAIN_WORD.match(pattern)
    prefix = plain.group() if plain is not None else ""
    rest = pattern[len(prefix) :]
    if "|" in rest and ("\\" in rest or "[" in rest or "|" in _GROUP.sub("", rest)):
        return ""
    return prefix[:-1] if rest[:1] in {"*", "?", "{"} else prefix


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label."""

    name: str
    operator: Operator
    value: str
    values: frozenset[str] | None = field(init=False, compare=False, repr=False)
    """All the values it accepts, when they are a closed list: an equality or plain words between bars."""
    prefixes: tuple[str, ...] = field(init=False, compare=False, repr=False)
    """Every value it accepts begins with one of these; an empty one where that cannot be told."""
    accepts: Callable[[str], bool] = field(init=False, compare=False, repr=False)
    """Whether this value of the label, an empty string for a missing one, is accepted."""

    def __post_init__(self) -> None:
        words = self._words()
        object.__setattr__(self, "values", words if self.operator in {"=", "=~"} else None)
        prefixes = _prefixes(self.value) if words is None else ("",)
        object.__setattr__(self, "prefixes", prefixes if self.operator == "=~" else ("",))
        object.__setattr__(self, "accepts", self._test(words, prefixes))

    def _words(self) -> frozenset[str] | None:
        if self.operator in {"=", "!="}:
            return frozenset({self.value})
        return frozenset(self.value.split("|")) if _PLAIN_WORDS.fullmatch(self.value) else None

    def _test(self, words: frozenset[str] | None, prefixes: tuple[str, ...]) -> Callable[[str], bool]:
        positive = self.operator in {"=", "=~"}
        if words is None:
            return partial(_accepts if positive else _rejects, self.value, prefixes)
        return words.__contains__ if positive else lambda value: value not in words

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels is accepted."""
        return self.accepts(labels.get(self.name, ""))

    def __str__(self) -> str:
        name = self.name if _BARE_NAME.fullmatch(self.name) else _quoted(self.name)
        return f"{name}{self.operator}{_quoted(self.value)}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    offset: int

    @property
    def shown(self) -> str:
        return "the end" if self.kind == "end" else self.text


@lru_cache(maxsize=1 << 14)
def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Read one line of `match`. Raises MatcherError with the offset of the first mistake.

    Remembered: loading, warning and matching each ask for the same lines.
    """
    matchers = parse_conditions(text)
    _selects_something(matchers)
    return matchers


def parse_conditions(text: str) -> tuple[Matcher, ...]:
    """The same, but for lines that may select everything, as those of Alertmanager's routes. Raises MatcherError."""
    tokens = _tokens(text)
    if tokens[0].text != "{":
        raise MatcherError('matchers are written in braces, as in {alertname="HighErrorRate"}', 0)
    matchers: list[Matcher] = []
    at = 1
    while tokens[at].text != "}":
        name, operator, value = tokens[at : at + 3]
        matcher = _matcher(name, operator, value)
        _can_hold_with(matchers, matcher, name.offset)
        matchers.append(matcher)
        at += 3
        if tokens[at].text == ",":
            at += 1
        elif tokens[at].text != "}":
            raise MatcherError(f"expected a comma or }}, found {tokens[at].shown}", tokens[at].offset)
    if tokens[at + 1].kind != "end":
        raise MatcherError(f"expected nothing after }}, found {tokens[at + 1].shown}", tokens[at + 1].offset)
    return tuple(matchers)


def _tokens(text: str) -> list[_Token]:
    tokens = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise MatcherError(_no_token(text[at]), at)
        if found.lastgroup != "space":
            tokens.append(_Token(str(found.lastgroup), found.group(), at))
        at = found.end()
    # So many ends that a whole matcher can always be looked at.
    return tokens + [_Token("end", "", len(text))] * 4


def _no_token(character: str) -> str:
    if character == '"':
        return 'the closing " is missing'
    if character in "'`":
        return f'values are quoted with ", not with {character}'
    if character == "!":
        return "expected != or !~"
    return f"{character} can only stand inside double quotes"


def _matcher(name: _Token, operator: _Token, value: _Token) -> Matcher:
    if name.kind not in {"bare", "quoted"}:
        raise MatcherError(f"expected the name of a label, found {name.shown}", name.offset)
    if operator.kind != "operator":
        raise MatcherError(f"expected =, !=, =~ or !~, found {operator.shown}", operator.offset)
    if value.kind not in {"bare", "quoted"}:
        raise MatcherError(f"expected a value in double quotes, found {value.shown}", value.offset)
    matcher = Matcher(_text(name), cast(Operator, operator.text), _text(value))
    if not matcher.name:
        raise MatcherError("the name of the label is empty", name.offset)
    if operator.text in {"=~", "!~"}:
        try:
            search(matcher.value, "")
        except ValueError as reason:
            raise MatcherError(str(reason), value.offset) from reason
    return matcher


def _text(token: _Token) -> str:
    """The word itself, or what Go's strconv.Unquote makes of the quoted one."""
    if token.kind == "bare":
        return token.text
    read = bytearray()
    at, end = 1, len(token.text) - 1
    while at < end:
        found = _GO_CHARACTER.match(token.text, at, end)
        if found is None:
            raise MatcherError(_no_character(token.text[at : at + 2]), token.offset + at)
        try:
            read += _bytes_of(found)
        except (UnicodeEncodeError, ValueError) as reason:
            raise MatcherError(f"{found.group()} is no character", token.offset + at) from reason
        at = found.end()
    try:
        return read.decode()
    except UnicodeDecodeError as reason:
        raise MatcherError("the escapes do not make valid UTF-8", token.offset) from reason


def _bytes_of(found: re.Match[str]) -> bytes:
    match found.lastgroup:
        case "simple":
            return _SIMPLE[found["simple"]].encode()
        case "byte":
            return bytes([int(found["byte"], 16)])
        case "octal":
            return bytes([int(found["octal"], 8)])
        case "itself":
            return found["itself"].encode()
        case kind:
            return chr(int(found[str(kind)], 16)).encode()


def _no_character(two: str) -> str:
    if two[0] == "\n":
        return "a line break inside quotes is written \\n"
    return f"{two} is not an escape: a backslash itself is written twice, \\{two}"


def _can_hold_with(earlier: list[Matcher], matcher: Matcher, offset: int) -> None:
    """Refuses a closed list of values of which the other conditions on the label leave none: no alert matches that."""
    others = [each for each in earlier if each.name == matcher.name]
    for other in others:
        if other.values is not None and matcher.values is not None and not other.values & matcher.values:
            either = f'{matcher.name}=~"{other.value}|{matcher.value}"'
            raise MatcherError(f"never holds together with {other}: for either write {either}", offset)
    for listed in [*others, matcher]:
        if listed.values is None:
            continue
        if not any(all(each.accepts(value) for each in [*others, matcher]) for value in listed.values):
            before = ", ".join(str(each) for each in others)
            raise MatcherError(f"never holds together with {before}: nothing is left of its values", offset)


def _selects_something(matchers: Sequence[Matcher]) -> None:
    """Refuses what Alertmanager refuses in a silence: matchers that all accept a missing label."""
    if not matchers:
        raise MatcherError("matches every alert: name at least one label", 0)
    if all(each.accepts("") for each in matchers):
        why = "every matcher in it also accepts a missing label, so it matches every alert without them"
        raise MatcherError(f'{why}: add one such as alertname="..."', 0)
