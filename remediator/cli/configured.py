"""The options of `serve`, shared by the commands that read the same configuration."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remediator.settings.load import Settings

_FLAGS = (
    "role",
    "listen_address",
    "api_listen_address",
    "web_config_file",
    "rules",
    "database_url",
    "kubeconfig",
    "log_level",
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options. A flag wins over its environment variable, and that over the configuration file."""
    parser.add_argument(
        "--config.file",
        dest="config",
        type=Path,
        metavar="FILE",
        help="remediator.yml (REMEDIATOR_CONFIG_FILE)",
    )
    _add_web_options(parser)
    parser.add_argument(
        "--rules",
        action="append",
        type=Path,
        metavar="PATH",
        help="a rule file or a directory of them, repeatable (REMEDIATOR_RULES, separated by colons)",
    )
    roles = ["all", "intake", "executor"]
    parser.add_argument(
        "--role",
        choices=roles,
        help="take alerts only, do everything but that, or both in one process: all (REMEDIATOR_ROLE)",
    )
    parser.add_argument("--database-url", metavar="URL", help="postgresql://... (REMEDIATOR_DATABASE_URL)")
    parser.add_argument(
        "--kubeconfig",
        type=Path,
        metavar="FILE",
        help="how to reach the cluster from outside of it (REMEDIATOR_KUBECONFIG)",
    )
    levels = ["debug", "info", "warning", "error"]
    parser.add_argument("--log.level", dest="log_level", choices=levels, help="REMEDIATOR_LOG_LEVEL")


def _add_web_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--web.listen-address",
        dest="listen_address",
        metavar="HOST:PORT",
        help="where to listen; 127.0.0.1:9095 unless said otherwise (REMEDIATOR_WEB_LISTEN_ADDRESS)",
    )
    parser.add_argument(
        "--web.api-listen-address",
        dest="api_listen_address",
        metavar="HOST:PORT",
        help="where a process of role executor answers people; 127.0.0.1:9096 unless said otherwise, for "
        "kubectl port-forward (REMEDIATOR_WEB_API_LISTEN_ADDRESS)",
    )
    parser.add_argument(
        "--web.config.file",
        dest="web_config_file",
        type=Path,
        metavar="FILE",
        help="TLS, headers, users and bcrypt hashes of their passwords (REMEDIATOR_WEB_CONFIG_FILE)",
    )


def settings_of(args: argparse.Namespace) -> "Settings":
    """Raises Permanent with every mistake, a line each."""
    from remediator.settings.load import load_settings

    from_environment = os.environ.get("REMEDIATOR_CONFIG_FILE")
    config = args.config or (Path(from_environment) if from_environment else None)
    return load_settings(config, {name: getattr(args, name) for name in _FLAGS}, os.environ)
