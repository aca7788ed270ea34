"""`remediator digest`: what is to be looked through every day and every week, filled in."""

import argparse
from datetime import datetime

from remediator.cli.client import Daemon, add_options
from remediator.cli.commands import Commands
from remediator.cli.output import print_json, print_section


def add_commands(commands: Commands) -> None:
    """Add `digest`."""
    digest = commands.add_parser(
        "digest",
        help="what is to be looked through every day and every week",
        description="Objectives, error rates, alerts, use of resources, security events, databases, backups, what is "
        "locked and what rules do. Exit status 1 when anything is worth a look, or is not known.",
    )
    digest.add_argument("period", choices=["daily", "weekly"], help="of the last day, or of the last seven")
    add_options(digest)
    digest.set_defaults(run=_digest)


def _digest(args: argparse.Namespace) -> int:
    content = Daemon.named_by(args).get(f"/api/v1/digests/{args.period}")
    sections = content["sections"]
    if args.output == "json":
        print_json(content)
    else:
        begin, end = (f"{datetime.fromisoformat(content[each]):%Y-%m-%d %H:%M}" for each in ("begin", "end"))
        print(f"{args.period} digest from {begin} to {end} UTC")
        for each in sections:
            print()
            print_section(each["title"], [(line["state"], line["text"]) for line in each["lines"]])
        lines = [line["state"] for each in sections for line in each["lines"]]
        print(f"\n{lines.count('look')} to look at, {lines.count('unknown')} not known")
    return 1 if any(each["state"] != "fine" for each in sections) else 0
