"""SQL of others: what stands in it as a value may be anything, and is not shown."""

import re

from remediator.redaction.text import redact

_TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<dollars>\$(?P<tag>(?:[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*)?)\$.*?(?:\$(?P=tag)\$|\Z))
      | (?P<escaped>\b[eE]'(?:[^'\\]|\\.|'')*(?:'|\\?\Z))
      | (?P<unclear>'(?:[^'\\]|''|\\[^'])*\\'.*)
      | (?P<plain>(?:\b[bBxXnN]|\b[uU]&)?'(?:[^'\\]|''|\\[^'])*(?:'|\\?\Z))
      | (?P<kept>"[^"]*"? | \$\d+ | [A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)
      | (?P<number>\d[\w.]*)
    """,
    re.VERBOSE | re.DOTALL,
)
_SEVERAL = re.compile(r"\?(?:\s*,\s*\?)+")
_SPACE = re.compile(r"\s+")
_MOST = 300


def without_values(statement: str | None, most: int = _MOST) -> str:
    """The statement on one line with `?` for each value, cut to `most` characters.

    Tokens are PostgreSQL's (documentation, 4.1 Lexical Structure). Whether a backslash in a plain string escapes the
    quote behind it depends on a setting of that session: from such a string on, nothing is shown.
    """
    text = _TOKEN.sub(_shown, statement or "")
    text = redact(_SPACE.sub(" ", _SEVERAL.sub("?, ...", text)).strip())
    return text if len(text) <= most else text[: most - 3] + "..."


def _shown(found: re.Match[str]) -> str:
    if found.group("kept") is not None:
        return found.group()
    if found.group("comment") is not None:
        return " "
    return "? ..." if found.group("unclear") is not None else "?"
