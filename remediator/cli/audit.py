"""`remediator audit`: is the record of what was done whole, and a copy of it for elsewhere."""

import argparse
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from remediator.cli.commands import Commands
from remediator.cli.output import print_json
from remediator.errors import Permanent, RemediatorError

if TYPE_CHECKING:
    from remediator.store.audit_verify import Verified
    from remediator.store.database import Connection

_CANNOT_TELL = 2
_SHOWN = 20


def add_commands(commands: Commands) -> None:
    """Add `audit` and what belongs under it."""
    audit = commands.add_parser("audit", help="the record of every effect, approval and pause")
    under: Commands = audit.add_subparsers(required=True, metavar="COMMAND")
    for each in (_add_verify(under), _add_export(under)):
        each.add_argument("--database-url", metavar="URL", help="postgresql://... (REMEDIATOR_DATABASE_URL)")


def _add_verify(under: Commands) -> argparse.ArgumentParser:
    verify = under.add_parser(
        "verify",
        help="is it whole, and does it fit what it tells of",
        description="Reads the database directly: follows the hashes of every chain, and holds every effect, approval "
        "and pause against its record and the reverse. Exit status: 0 it is whole, 1 it is not, 2 it cannot be told.",
    )
    verify.add_argument(
        "--against",
        type=Path,
        metavar="FILE",
        help="an earlier export, all of which has to be there unchanged",
    )
    verify.add_argument("--output", choices=["text", "json"], default="text", help="json is for programs")
    verify.set_defaults(run=_verify)
    return verify


def _add_export(under: Commands) -> argparse.ArgumentParser:
    export = under.add_parser(
        "export",
        help="write it to standard output, one JSON object a line",
        description="In the order it was written. Nothing is taken away by it.",
    )
    export.add_argument(
        "--after",
        type=int,
        default=0,
        metavar="NUMBER",
        help="only what follows this number (`audit` of a line)",
    )
    export.set_defaults(run=_export)
    return export


def _verify(args: argparse.Namespace) -> int:
    import asyncio

    try:
        found = asyncio.run(_verified(args))
    except RemediatorError as reason:
        print(f"remediator: whether the audit is whole cannot be told: {reason.sentence}", file=sys.stderr)
        return _CANNOT_TELL
    if args.output == "json":
        print_json(found.to_json())
    else:
        for each in found.breaks[:_SHOWN]:
            print(f"{each.where}: {each.what}")
        more = f", {len(found.breaks) - _SHOWN} more" if len(found.breaks) > _SHOWN else ""
        whole = f"broken in {len(found.breaks)} places{more}; the first is above" if found.breaks else "whole"
        print(f"{found.records} records in {found.chains} chains, {found.effects} effects: {whole}")
    return 1 if found.breaks else 0


async def _verified(args: argparse.Namespace) -> "Verified":
    from remediator.store.audit_verify import verify

    kept = {} if args.against is None else _kept(args.against)
    async with _reading(args) as connection:
        return await verify(connection, kept)


def _export(args: argparse.Namespace) -> int:
    import asyncio

    asyncio.run(_exported(args))
    return 0


async def _exported(args: argparse.Namespace) -> None:
    from remediator.store.audit import exported

    async with _reading(args) as connection:
        async for record in exported(connection, args.after):
            print(record.line())


def _kept(path: Path) -> dict[tuple[str, int], str]:
    """The hashes of an export by chain and place. Raises Permanent when it is none."""
    try:
        with path.open(encoding="utf-8") as lines:
            read = [json.loads(text) for text in lines]
        return {(str(line["chain"]), int(line["place"])): str(line["hash"]) for line in read}
    except OSError as reason:
        raise Permanent(f"{path} cannot be read: {reason.strerror}") from reason
    except (ValueError, KeyError, TypeError) as reason:
        raise Permanent(f"{path} is no export of the audit: {type(reason).__name__} {reason}") from reason


@asynccontextmanager
async def _reading(args: argparse.Namespace) -> "AsyncIterator[Connection]":
    """One state of the database, however long it takes to read. Raises Permanent when it cannot be read."""
    from remediator.store.database import DATABASE_ERRORS, one_state

    url = args.database_url or os.environ.get("REMEDIATOR_DATABASE_URL")
    if not url:
        raise Permanent("no database is configured: give --database-url or REMEDIATOR_DATABASE_URL")
    try:
        async with one_state(url) as connection:
            yield connection
    except BrokenPipeError:
        raise
    except DATABASE_ERRORS as reason:
        raise Permanent(f"the database cannot be read: {str(reason) or type(reason).__name__}") from reason
