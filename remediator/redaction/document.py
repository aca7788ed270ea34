"""JSON: what a secret's name stands beside is a secret, whatever it looks like."""

from collections.abc import Iterable
from typing import Any

from remediator.redaction.names import names_a_secret
from remediator.redaction.text import REDACTED, redact

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_DATA = ("data", "stringData")


def redact_json(value: Any) -> Any:
    """The same document without secrets: in its texts, under names of secrets, and what Secrets hold.

    A list of texts is read as the lines of one, so that a key over several lines is found.
    """
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return _redacted(value)
    if isinstance(value, list | tuple):
        if value and all(type(each) is str for each in value):
            return _lines(value)
        return [redact_json(each) for each in value]
    return value


def _redacted(value: dict[str, Any]) -> dict[str, Any]:
    hidden = _hidden(value)
    return {
        redact(str(key)): _hide(each) if key in hidden else redact_json(each) for key, each in value.items()
    }


def _hidden(value: dict[str, Any]) -> set[str]:
    """The keys of this object whose values are secrets."""
    hidden = {key for key in value if key == _LAST_APPLIED or names_a_secret(str(key))}
    name = value.get("name")
    if isinstance(name, str) and "value" in value and names_a_secret(name):
        hidden.add("value")
    if value.get("kind") == "Secret":
        hidden.update(key for key in _DATA if key in value)
    return hidden


def _hide(value: Any) -> Any:
    """Nothing of its values; its shape stays."""
    if isinstance(value, dict):
        return {key: _hide(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_hide(each) for each in value]
    return value if value is None or isinstance(value, bool) or value == "" else REDACTED


def _lines(texts: Iterable[str]) -> list[str]:
    texts = list(texts)
    lines = redact("\n".join(texts)).split("\n")
    # Texts that hold line breaks themselves cannot be told apart again.
    return lines if len(lines) == len(texts) else [redact(each) for each in texts]
