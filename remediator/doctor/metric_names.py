"""Which metrics a PromQL query reads, found without parsing all of PromQL."""

import re

_NO_NAMES = re.compile(
    r"""\#[^\n]*                                                     # a comment
      | "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | `[^`]*`              # a string
      | \b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)   # labels to group by
    """,
    re.VERBOSE,
)
_SELECTORS = re.compile(r"\{[^}]*\}|\[[^\]]*\]")
_NAME = re.compile(r"(?<![\w:.])[a-zA-Z_:][\w:]*(?![\w:])(?!\s*\()")
_KEYWORDS = frozenset(
    [
        "and",
        "or",
        "unless",
        "by",
        "without",
        "on",
        "ignoring",
        "group_left",
        "group_right",
        "offset",
        "bool",
        "inf",
        "nan",
        "atan2",
    ]
)


def metric_names(query: str) -> frozenset[str]:
    """The names that stand before selectors or alone. `{__name__=...}` is not looked into."""
    bare = _SELECTORS.sub(" ", _NO_NAMES.sub(" ", query))
    return frozenset(name for name in _NAME.findall(bare) if name.lower() not in _KEYWORDS)
