"""`remediator adopt-database`: give a database to the cluster it is used in, after a look at what that means."""

import argparse
import getpass
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from remediator.cli.commands import Commands
from remediator.cli.configured import add_options, settings_of
from remediator.errors import Permanent
from remediator.incidents.printable import printable

if TYPE_CHECKING:
    from remediator.domain.answers import Refusal
    from remediator.domain.belonging import Binding
    from remediator.settings.load import Settings
    from remediator.store.clusters import Holdings

_SECONDS = 1800
_SHOWN = 20


def add_commands(commands: Commands) -> None:
    """Add `adopt-database`."""
    adopt = commands.add_parser(
        "adopt-database",
        help="give the database to this cluster, where it belongs to another one",
        description="Takes the configuration of `serve`. Shows what differs and what is open, and asks. What is open "
        "ends with people and is never sent; what was seen of the other cluster's workloads does not count here.",
    )
    add_options(adopt)
    adopt.add_argument("--why", required=True, metavar="TEXT", help="kept with your name")
    adopt.add_argument("--who", metavar="NAME", help="your name, if not the one you are logged in with")
    adopt.add_argument("--yes", action="store_true", help="do not ask")
    adopt.set_defaults(run=_adopt)


@dataclass(frozen=True, slots=True)
class _Facing:
    """A database, and the cluster it is to belong to."""

    binding: "Binding | None"
    holdings: "Holdings"
    uid: str
    name: str


def _adopt(args: argparse.Namespace) -> int:
    import asyncio

    settings = settings_of(args)
    if not args.why.strip():
        raise Permanent("--why is empty: say why this database belongs to this cluster now")
    facing = asyncio.run(_faced(settings))
    if facing.binding is None:
        print("this database belongs to no cluster yet: the first start binds it")
        return 0
    if facing.binding.uid == facing.uid:
        print(f"this database belongs to this cluster ({facing.uid}): there is nothing to adopt")
        return 0
    for line in _differences(facing, facing.binding):
        print(printable(line))
    if not args.yes and not _agreed():
        print("nothing was changed")
        return 1
    refused = asyncio.run(_adopted(settings, facing, facing.binding, args.who or getpass.getuser(), args.why))
    if refused is not None:
        raise Permanent(f"nothing was changed: {refused.why}")
    print(f"this database belongs to {facing.name} ({facing.uid}) now")
    return 0


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise Permanent("nobody is there to ask: read the above, then say --yes")
    return input("Give it to this cluster? [y/N] ").strip().lower() in ("y", "yes")


def _differences(facing: _Facing, binding: "Binding") -> Iterator[str]:
    yield f"it belongs to  {binding.name} ({binding.uid}), since {binding.bound_at:%Y-%m-%d %H:%M} UTC by {binding.who}"
    yield f"this cluster   {facing.name} ({facing.uid})"
    held = facing.holdings
    yield f"{len(held.runs)} runs are open, which would end ESCALATED:"
    yield from (f"  {each}" for each in held.runs[:_SHOWN])
    if len(held.runs) > _SHOWN:
        yield f"  and {len(held.runs) - _SHOWN} more"
    yield f"{held.notices} notices were not delivered and never would be"
    yield f"{held.episodes} alerts are open, which would be closed"
    yield f"{len(held.pauses)} pauses and freezes, which would stay: {', '.join(held.pauses) or 'none'}"
    yield "first make sure that the other cluster's remediator does not use this very database"


async def _faced(settings: "Settings") -> _Facing:
    from remediator.clock import SystemClock
    from remediator.doctor.systems import systems
    from remediator.domain.belonging import IDENTITY
    from remediator.store import clusters
    from remediator.store.database import DATABASE_ERRORS

    async with systems(settings, SystemClock()) as opened:
        namespace = await (await opened.kubernetes()).namespace(IDENTITY)
        if namespace is None:
            raise Permanent(f"there is no namespace {IDENTITY}, whose uid tells which cluster this is")
        database = await opened.database()
        try:
            async with database.connection() as connection:
                binding = await clusters.bound(connection)
                holdings = await clusters.holdings(connection)
        except DATABASE_ERRORS as reason:
            raise Permanent(f"the database cannot be read: {reason}; is it migrated?") from reason
    return _Facing(binding, holdings, str(namespace["metadata"]["uid"]), settings.cluster.name)


async def _adopted(
    settings: "Settings", facing: _Facing, shown: "Binding", who: str, why: str
) -> "Refusal | None":
    from remediator.domain.answers import Refusal
    from remediator.settings.sections import DatabaseLimits
    from remediator.store import clusters
    from remediator.store.database import DATABASE_ERRORS, open_database

    patient = DatabaseLimits(
        statement_timeout=timedelta(seconds=_SECONDS), lock_timeout=timedelta(seconds=30)
    )
    try:
        database = await open_database(settings.database_url, size=1, limits=patient)
        try:
            async with database.transaction() as connection:
                made = await clusters.adopt(connection, shown, facing.uid, facing.name, who, why)
        finally:
            await database.close()
    except DATABASE_ERRORS as reason:
        raise Permanent(f"nothing was changed: {str(reason) or type(reason).__name__}") from reason
    return made if isinstance(made, Refusal) else None
