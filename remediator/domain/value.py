"""What all values of the domain have in common: frozen, strict about unknown fields, JSON both ways."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from json import dumps
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object exactly as another system sent it."""


class Value(BaseModel):
    """A frozen value that can be stored as JSON and read back unchanged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_json(self) -> JsonObject:
        """The value as a JSON object."""
        return self.model_dump(mode="json", by_alias=True)


def canonical(document: Mapping[str, Any] | Sequence[Any]) -> str:
    """The one JSON text of a document: keys sorted, no spaces. What is hashed and compared."""
    return dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(document: Mapping[str, Any] | Sequence[Any]) -> str:
    """SHA-256 of the canonical JSON, in hex."""
    return sha256(canonical(document).encode("utf-8", "surrogatepass")).hexdigest()
