"""`remediator serve`: the daemon itself."""

import argparse
import os
from pathlib import Path

from remediator.cli.commands import Commands


def add_commands(commands: Commands) -> None:
    """Add `serve`."""
    serve = commands.add_parser(
        "serve",
        help="run the daemon",
        description="Runs the daemon until SIGTERM; SIGHUP reloads the rules. A flag wins over its "
        "environment variable, and that over the configuration file.",
    )
    serve.add_argument(
        "--config.file",
        dest="config",
        type=Path,
        metavar="FILE",
        help="remediator.yml (REMEDIATOR_CONFIG_FILE)",
    )
    serve.add_argument(
        "--web.listen-address",
        dest="listen_address",
        metavar="HOST:PORT",
        help="where to listen; 127.0.0.1:9095 unless said otherwise (REMEDIATOR_WEB_LISTEN_ADDRESS)",
    )
    serve.add_argument(
        "--rules",
        action="append",
        type=Path,
        metavar="PATH",
        help="a rule file or a directory of them, repeatable (REMEDIATOR_RULES, separated by colons)",
    )
    serve.add_argument("--database-url", metavar="URL", help="postgresql://... (REMEDIATOR_DATABASE_URL)")
    serve.add_argument(
        "--kubeconfig",
        type=Path,
        metavar="FILE",
        help="how to reach the cluster from outside of it (REMEDIATOR_KUBECONFIG)",
    )
    levels = ["debug", "info", "warning", "error"]
    serve.add_argument("--log.level", dest="log_level", choices=levels, help="REMEDIATOR_LOG_LEVEL")
    serve.set_defaults(run=_serve)


def _serve(args: argparse.Namespace) -> int:
    # Here, not above: the clients behind it take seconds to import.
    import asyncio

    from remediator import app
    from remediator.settings import load_settings
    from remediator.telemetry import configure_logging

    flags = {
        name: getattr(args, name)
        for name in ("listen_address", "rules", "database_url", "kubeconfig", "log_level")
    }
    from_environment = os.environ.get("REMEDIATOR_CONFIG_FILE")
    config = args.config or (Path(from_environment) if from_environment else None)
    settings = load_settings(config, flags, os.environ)
    configure_logging(settings.log_level)
    asyncio.run(app.serve(settings))
    return 0
