"""`remediator migrate`: brings the database's schema up to this program's version, and grants what it needs."""

import argparse
import os

from remediator.cli.commands import Commands
from remediator.errors import Permanent


def add_commands(commands: Commands) -> None:
    """Add `migrate`."""
    migrate = commands.add_parser(
        "migrate",
        help="bring the database's schema up to date",
        description="Applies the migrations that the database lacks, each once, and says which. Then grants the "
        "users remediator and remediator_intake, where they exist, what they need of the tables.",
    )
    migrate.add_argument("--database-url", metavar="URL", help="postgresql://... (REMEDIATOR_DATABASE_URL)")
    migrate.set_defaults(run=_migrate)


def _migrate(args: argparse.Namespace) -> int:
    url = args.database_url or os.environ.get("REMEDIATOR_DATABASE_URL")
    if not url:
        raise Permanent("no database is configured: give --database-url or REMEDIATOR_DATABASE_URL")
    applied, users = _apply(url)
    for name in applied:
        print(f"applied {name}")
    if not applied:
        print("nothing to do")
    for user in users:
        print(f"granted {user} what it needs")
    return 0


def _apply(url: str) -> tuple[list[str], list[str]]:
    import asyncio

    from remediator.store.database import DATABASE_ERRORS
    from remediator.store.grants import grant
    from remediator.store.migrate import migrate

    async def both() -> tuple[list[str], list[str]]:
        return await migrate(url), await grant(url)

    try:
        return asyncio.run(both())
    except DATABASE_ERRORS as reason:
        said = str(reason) or type(reason).__name__
        hint = "is the address right, does the server run, and may this user make tables in that database?"
        raise Permanent(f"the database could not be migrated: {said}\n{hint}") from reason
