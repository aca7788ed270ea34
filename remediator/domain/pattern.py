"""Regular expressions as Prometheus and Alertmanager read them: RE2, linear in time, never backtracking."""

import re
from functools import lru_cache
from typing import Any

import re2

_LOOKS_AROUND = re.compile(r"\(\?<?[=!]")
_QUIET = re2.Options()
_QUIET.log_errors = False
_QUIET.max_mem = 1 << 20


@lru_cache(maxsize=1 << 15)
def _compiled(pattern: str) -> Any:
    try:
        return re2.compile(pattern, _QUIET)
    except re2.error as reason:
        raise ValueError(
            f"not a regular expression RE2 accepts: {_shown(pattern)} ({_why(pattern, reason)})"
        ) from reason


def _shown(pattern: str) -> str:
    """On one line, with backslashes as they were written."""
    return repr(pattern).replace("\\\\", "\\")


def _why(pattern: str, reason: Exception) -> str:
    if _LOOKS_AROUND.search(pattern):
        return "it cannot look ahead or behind"
    first = reason.args[0] if reason.args else ""
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)


def full_match(pattern: str, text: str) -> bool:
    """Whether the whole text matches, as Alertmanager anchors matchers. Raises ValueError on a bad pattern."""
    return _compiled(f"^(?:{pattern})$").fullmatch(text) is not None


def search(pattern: str, text: str) -> bool:
    """Whether the pattern is found anywhere in the text. Raises ValueError on a bad pattern."""
    return _compiled(pattern).search(text) is not None
