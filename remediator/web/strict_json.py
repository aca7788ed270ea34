"""JSON as one reader would have it: UTF-8, no key twice, finite numbers, one document.

Where two readers could understand a text differently, the sender may have meant the other one.
"""

import json
from typing import Any, NoReturn

from remediator.errors import Permanent

_LARGEST_NUMBER_OF_OBJECTS = 500_000
"""Every `{}` takes some 70 bytes of memory: 32 MiB of them must not become a gigabyte."""


def parse(body: bytes) -> Any:
    """The document in `body`. Raises Permanent with what is wrong with it."""
    if body.count(b"{") > _LARGEST_NUMBER_OF_OBJECTS:
        raise Permanent(f"the body holds more than {_LARGEST_NUMBER_OF_OBJECTS} objects")
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Permanent(f"the body is not UTF-8: {error.reason} at byte {error.start}") from None
    except RecursionError:
        raise Permanent("the body is nested too deeply") from None
    except ValueError as error:
        raise Permanent(f"the body is not strict JSON: {error}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has the same key twice")
    return found


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return number


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_refuse)
