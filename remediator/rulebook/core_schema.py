"""What an unquoted word of YAML means: the core schema of YAML 1.2, without PyYAML's 1.1 surprises.

`no`, `on`, `off`, `1:30` and `2026-01-01` are text. So is a number with leading zeros, because YAML 1.1
and 1.2 disagree about what `010` is.
"""

import math
import re

_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NUMBERS_BEGIN_WITH = frozenset("+-.0123456789")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MOST_DIGITS = 100
OTHERWISE_BEFORE = re.compile(
    r"y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF"
    r"|[-+]?0[0-7_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+|[-+]?[0-9][0-9,]*_[0-9_]+"
)
"""What is text here and a boolean or another number in YAML 1.1 (yaml.org/type: bool, int)."""


def resolve(word: str) -> str | int | float | bool | None:
    """The value of an unquoted word. Raises ValueError for a number no threshold can be."""
    if word in _NULLS:
        return None
    if word in _BOOLEANS:
        return _BOOLEANS[word]
    if word[0] not in _NUMBERS_BEGIN_WITH:
        return word
    whole = _INTEGER.fullmatch(word) is not None
    if not whole and not _FLOAT.fullmatch(word):
        if _NOT_FINITE.fullmatch(word):
            raise ValueError("not a finite number")
        return word
    if len(word) > _MOST_DIGITS or not (whole or math.isfinite(float(word))):
        raise ValueError("a number too large to mean anything")
    return int(word, 0) if whole else float(word)
