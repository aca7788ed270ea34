"""`remediator doctor`: can what is configured work?"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from remediator.cli.commands import Commands
from remediator.cli.configured import add_options, settings_of
from remediator.cli.output import print_json
from remediator.incidents.printable import printable

if TYPE_CHECKING:
    from remediator.doctor.examine import Check
    from remediator.doctor.finding import Examined
    from remediator.settings.load import Settings

_WAITING = "\r\x1b[Kwaiting for {}"
_CLEAR = "\r\x1b[K"
_MOST = 100


def add_commands(commands: Commands) -> None:
    """Add `doctor`."""
    doctor = commands.add_parser(
        "doctor",
        help="ask the live systems whether what is configured can work",
        description="Takes the configuration of `serve`, needs no running daemon and changes nothing anywhere. "
        "Exit status: 0 nothing failed (there may be warnings), 1 something cannot work, 2 wrong usage.",
    )
    add_options(doctor)
    doctor.add_argument("--output", choices=["text", "json"], default="text", help="json is for programs")
    doctor.set_defaults(run=_doctor)


def _doctor(args: argparse.Namespace) -> int:
    # Here, not above: the clients behind it take seconds to import.
    import asyncio

    from remediator.doctor.examine import CHECKS

    examined = asyncio.run(examined_by(settings_of(args), CHECKS))
    counts = Counter(finding.level for each in examined for finding in each.findings)
    if args.output == "json":
        levels = {level: counts[level] for level in ("ok", "warning", "failed", "unknown")}
        print_json({"checks": [each.to_json() for each in examined], "counts": levels})
    else:
        print_examined(examined)
        print(
            f"{len(examined)} checks: {counts['ok']} ok, {counts['warning']} warnings, "
            f"{counts['failed']} failed, {counts['unknown']} could not be checked"
        )
    return 1 if counts["failed"] else 0


async def examined_by(settings: "Settings", checks: "Sequence[Check]") -> "list[Examined]":
    """What the checks find; on a terminal with a word of what is waited for."""
    from remediator.clock import SystemClock
    from remediator.doctor.examine import examine
    from remediator.doctor.systems import systems

    async with systems(settings, SystemClock()) as opened:
        found = await examine(opened, _waiting, checks)
    if sys.stderr.isatty():
        print(_CLEAR, end="", file=sys.stderr, flush=True)
    return found


def _waiting(names: Sequence[str]) -> None:
    if sys.stderr.isatty():
        print(_WAITING.format(", ".join(names))[:_MOST], end="", file=sys.stderr, flush=True)


def print_examined(examined: "Sequence[Examined]") -> None:
    """A line for each finding, under the name of its check."""
    width = max(len(each.check) for each in examined)
    for each in examined:
        for finding in each.findings:
            said = finding.saw if finding.do is None else f"{finding.saw}. Do: {finding.do}"
            print(f"{finding.level:7}  {each.check:{width}}  {printable(said)}")
