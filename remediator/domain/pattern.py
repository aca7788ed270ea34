"""Regular expressions as Prometheus and Alertmanager read them: RE2, linear in time, never backtracking."""

from functools import lru_cache
from typing import Any

import re2

_QUIET = re2.Options()
_QUIET.log_errors = False
_QUIET.max_mem = 1 << 20


@lru_cache(maxsize=1 << 15)
def _compiled(pattern: str) -> Any:
    try:
        return re2.compile(pattern, _QUIET)
    except re2.error as reason:
        raise ValueError(f"not a regular expression RE2 accepts: {pattern!r} ({_text(reason)})") from reason


def _text(reason: Exception) -> str:
    first = reason.args[0] if reason.args else ""
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)


def full_match(pattern: str, text: str) -> bool:
    """Whether the whole text matches, as Alertmanager anchors matchers. Raises ValueError on a bad pattern."""
    return _compiled(f"^(?:{pattern})$").fullmatch(text) is not None


def search(pattern: str, text: str) -> bool:
    """Whether the pattern is found anywhere in the text. Raises ValueError on a bad pattern."""
    return _compiled(pattern).search(text) is not None
