"""What is wrong with a query whatever Prometheus it is for: quotes and brackets that are not closed. Pure.

The rest of PromQL only Prometheus can judge, and `rules check --live` asks it.
"""

import re
from collections.abc import Iterator

_PIECE = re.compile(r"""(?P<quoted>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)|(?P<comment>\#[^\n]*)""")
"""Prometheus' lexer (promql/parser/lex.go): three kinds of quotes, of which backquotes know no escapes."""
_CLOSES = {")": "(", "]": "[", "}": "{"}


def unbalanced(query: str) -> Iterator[tuple[str, int]]:
    """The first quote or bracket that has no other half, and how many characters into the query it stands."""
    opened: list[tuple[str, int]] = []
    at = 0
    while at < len(query):
        character = query[at]
        piece = _PIECE.match(query, at)
        if piece is not None:
            at = piece.end()
            continue
        if character in "\"'`":
            yield f"the quote {character} that opens here is not closed", at
            return
        if character in _CLOSES.values():
            opened.append((character, at))
        elif character in _CLOSES and (not opened or opened.pop()[0] != _CLOSES[character]):
            yield f"a {character} that closes nothing", at
            return
        at += 1
    if opened:
        yield f"the {opened[-1][0]} that opens here is not closed", opened[-1][1]
