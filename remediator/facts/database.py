"""Facts of the database behind the workload."""

from remediator.clients.databases import database_of
from remediator.domain.run_view import RunView
from remediator.domain.target import Target
from remediator.domain.value import JsonObject
from remediator.errors import Permanent
from remediator.facts.target import seen
from remediator.kit import Kit
from remediator.workloads.fields import objects, text

_LONGEST_NAME = 63
"""Bytes; PostgreSQL cuts a longer one (NAMEDATALEN)."""


async def name(run: RunView, kit: Kit) -> str:
    return database_of(kit.databases.chosen(None, run.target))


async def restored(run: RunView, kit: Kit) -> str:
    return _beside(await name(run, kit), f"_restored_{run.run_id}")


async def before(run: RunView, kit: Kit) -> str:
    return _beside(await name(run, kit), f"_before_{run.run_id}")


def _beside(database: str, suffix: str) -> str:
    beside = f"{database}{suffix}"
    if len(beside.encode()) > _LONGEST_NAME:
        raise Permanent(f"{beside} has more than {_LONGEST_NAME} bytes")
    return beside


async def namespace(run: RunView, kit: Kit) -> str:
    return _server(run, kit).namespace


async def pod(run: RunView, kit: Kit) -> str:
    return text(await _pod(run, kit), "metadata", "name")


async def container(run: RunView, kit: Kit) -> str:
    return text(await _container(run, kit), "name")


async def admin(run: RunView, kit: Kit) -> str:
    """POSTGRES_USER where the pod says it in the clear; postgres where it says nothing."""
    for variable in objects(await _container(run, kit), "env"):
        if text(variable, "name") == "POSTGRES_USER":
            if not text(variable, "value"):
                raise Permanent("POSTGRES_USER is taken from elsewhere")
            return text(variable, "value")
    return "postgres"


def _server(run: RunView, kit: Kit) -> Target:
    database = kit.databases.chosen(None, run.target)
    if database.server is None:
        raise Permanent(
            f"remediator.yml does not say which workload is the server of database {database.name}"
        )
    return Target.parse(database.server, run.target.cluster)


async def _pod(run: RunView, kit: Kit) -> JsonObject:
    server = _server(run, kit)
    pods = (await seen(run.model_copy(update={"target": server}), kit)).pods
    if len(pods) != 1:
        why = f"which of its {len(pods)} pods is the primary cannot be told" if pods else "it has no pod"
        raise Permanent(f"{server}: {why}")
    return pods[0]


async def _container(run: RunView, kit: Kit) -> JsonObject:
    """Its only container, or the one whose name begins with postgres."""
    found = objects(await _pod(run, kit), "spec", "containers")
    named = [each for each in found if text(each, "name").startswith("postgres")]
    chosen = found if len(found) == 1 else named
    if len(chosen) != 1:
        raise Permanent(f"its pod has several: {', '.join(text(each, 'name') for each in found)}")
    return chosen[0]
