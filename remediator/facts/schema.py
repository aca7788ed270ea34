"""Facts of the schema's version, where Alembic keeps it."""

from datetime import timedelta

from remediator.clients.schema_version import SchemaVersion
from remediator.domain.run_view import RunView
from remediator.errors import Permanent
from remediator.kit import Kit

_ALEMBIC = "alembic_version "
_REMEMBERED = timedelta(days=14)


async def head(run: RunView, kit: Kit) -> str:
    return _of_alembic(await _schema(run, kit).head())


async def before(run: RunView, kit: Kit) -> str:
    """What it was last seen at before the version that runs began. What is the same now needs no downgrade."""
    schema = _schema(run, kit)
    tenures = await kit.history.tenures(run.target)
    if len(tenures) < 2:
        raise Permanent("no rollout of the workload is remembered")
    began = tenures[-1].began_at
    seen = await kit.history.schema_heads(schema.name, began - _REMEMBERED, began)
    if not seen:
        raise Permanent(f"nobody saw the schema of {schema.name} before {began:%Y-%m-%d %H:%M} UTC")
    now = await schema.head()
    if seen[-1] == now:
        raise Permanent(f"it is the same now: {now}")
    return _of_alembic(seen[-1])


def _schema(run: RunView, kit: Kit) -> SchemaVersion:
    found = [each for each in kit.schemas if each.serves(run.target)]
    if len(found) != 1:
        raise Permanent(f"{len(found)} databases in remediator.yml hold the schema of {run.target}")
    return found[0]


def _of_alembic(head: str) -> str:
    version = head.removeprefix(_ALEMBIC)
    if version == head or ";" in version or "," in version:
        raise Permanent(f"{head} is not the one version of an Alembic")
    return version
