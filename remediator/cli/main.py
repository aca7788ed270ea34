"""`remediator`: finds the command, runs it, and turns what went wrong into a sentence and an exit status."""

import argparse
import os
import sys
from collections.abc import Sequence

from remediator.cli import (
    adopt,
    audit,
    breakers,
    demo,
    digest,
    doctor,
    incidents,
    migrate,
    pauses,
    rbac,
    rules,
    runs,
    serve,
    shadow,
    slo,
    target,
)
from remediator.cli.commands import CommandParser, Commands
from remediator.errors import RemediatorError
from remediator.redaction.text import redact

_MODULES = (
    demo,
    serve,
    migrate,
    doctor,
    rbac,
    rules,
    incidents,
    runs,
    shadow,
    slo,
    digest,
    pauses,
    breakers,
    target,
    audit,
    adopt,
)
"""In the order of the help text. Each imports what takes long only when its command runs."""

_INTERRUPTED = 130
_NOBODY_READS = 141
"""What a shell reports of a program that a closed pipe ended, as in `remediator runs list | head`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. 0 fine, 1 something was found or failed, 2 wrong usage, 130 interrupted."""
    arguments = _parser().parse_args(argv)
    try:
        status = arguments.run(arguments)
        sys.stdout.flush()
    except RemediatorError as reason:
        print(f"remediator: {redact(reason.sentence)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Python flushes standard output once more when it ends, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _NOBODY_READS
    return int(status)


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="remediator",
        description="Alert-driven auto-remediation for Kubernetes.",
        epilog="Exit status: 0 fine, 1 something was found or failed, 2 wrong usage.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands: Commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=CommandParser)
    for each in _MODULES:
        each.add_commands(commands)
    return parser


class _Version(argparse.Action):
    """Looks the version up when it is asked for: that takes longer than all the rest of the start."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"remediator {version('remediator')}")
        parser.exit()
