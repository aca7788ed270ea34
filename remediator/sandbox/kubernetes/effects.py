"""What clients asked for and what really changed: two append-only logs for audits after a test."""

from dataclasses import dataclass
from datetime import datetime

from remediator.sandbox.kubernetes.status import Json

CLAIM_ANNOTATION = "remediator.io/epoch"
"""The annotation a claim sets: a write that touches nothing else takes ownership but changes nothing."""

_BOOKKEEPING = ("resourceVersion", "generation", "managedFields")


@dataclass(frozen=True)
class Origin:
    """On whose behalf a write is made.

    `client` is False for the emulator's own controllers, whose writes are no effects. `applied` are the paths a
    server-side apply owns.
    """

    user: str
    manager: str
    verb: str = "update"
    user_agent: str = ""
    client: bool = True
    dry_run: bool = False
    applied: frozenset[tuple[str, ...]] | None = None


@dataclass(frozen=True)
class Effect:
    """One client write that was really applied; `before` is None for a create, `after` for a removal."""

    sequence: int
    at: datetime
    user: str
    user_agent: str
    field_manager: str
    verb: str
    resource: str
    subresource: str
    namespace: str
    name: str
    uid: str
    before: Json | None
    after: Json | None
    claim: bool


@dataclass(frozen=True)
class LoggedRequest:
    """One request, whatever became of it; `status` is 0 if the connection was dropped without an answer."""

    sequence: int
    at: datetime
    method: str
    path: str
    query: dict[str, str]
    content_type: str
    user: str
    user_agent: str
    status: int


def is_claim(before: Json | None, after: Json | None) -> bool:
    """Whether a change touches nothing but the claim annotation and the server's bookkeeping."""
    if before is None or after is None:
        return False
    was, now = _without_claim(before), _without_claim(after)
    return was == now and _epoch(before) != _epoch(after)


def _epoch(obj: Json) -> str | None:
    epoch: str | None = (obj["metadata"].get("annotations") or {}).get(CLAIM_ANNOTATION)
    return epoch


def _without_claim(obj: Json) -> Json:
    metadata = {name: value for name, value in obj["metadata"].items() if name not in _BOOKKEEPING}
    annotations = metadata.pop("annotations", None) or {}
    kept = {name: value for name, value in annotations.items() if name != CLAIM_ANNOTATION}
    return {**obj, "metadata": {**metadata, "annotations": kept}}
