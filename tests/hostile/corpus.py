"""The corpora: cases as data, and what of the writing in them is short for."""

import re
from pathlib import Path
from typing import Any

import yaml

_REPEATED = re.compile(r"<<(.+?)\*(\d+)>>", re.DOTALL)


def read(name: str) -> dict[str, dict[str, Any]]:
    """A corpus: its groups, each with its cases by id."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(
        (Path(__file__).parent / name).read_text(encoding="utf-8")
    )
    return found


def expanded(value: Any, words: dict[str, str] | None = None) -> Any:
    """`<<x*3>>` is xxx and `$word` (or `${word}`) what `words` says, in every text of the value."""
    if isinstance(value, str):
        for word, meaning in (words or {}).items():
            value = value.replace("${" + word + "}", meaning).replace(f"${word}", meaning)
        return _REPEATED.sub(lambda found: found[1] * int(found[2]), value)
    if isinstance(value, dict):
        return {expanded(key, words): expanded(each, words) for key, each in value.items()}
    if isinstance(value, list):
        return [expanded(each, words) for each in value]
    return value
