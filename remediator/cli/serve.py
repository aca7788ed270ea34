"""`remediator serve`: the daemon itself."""

import argparse

from remediator.cli.commands import Commands
from remediator.cli.configured import add_options, settings_of


def add_commands(commands: Commands) -> None:
    """Add `serve`."""
    serve = commands.add_parser(
        "serve",
        help="run the daemon",
        description="Runs the daemon until SIGTERM; SIGHUP reloads the rules. A flag wins over its "
        "environment variable, and that over the configuration file.",
    )
    add_options(serve)
    serve.set_defaults(run=_serve)


def _serve(args: argparse.Namespace) -> int:
    # Here, not above: the clients behind it take seconds to import.
    import asyncio

    from remediator.settings.process_role import ROLES
    from remediator.telemetry import configure_logging

    settings = settings_of(args)
    configure_logging(settings.log_level)
    if ROLES[settings.role].engine:
        from remediator.app import serve

        asyncio.run(serve(settings))
    else:
        from remediator.intake_app import serve_intake

        asyncio.run(serve_intake(settings))
    return 0
