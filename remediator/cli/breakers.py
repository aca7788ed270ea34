"""`remediator breakers`: which targets are left to people, and let acting go on there."""

import argparse

from remediator.cli.client import Daemon, add_options
from remediator.cli.commands import Commands
from remediator.cli.output import moment, print_json, print_table


def add_commands(commands: Commands) -> None:
    """Add `breakers` and what belongs under it."""
    breakers = commands.add_parser("breakers", help="targets left to people because acting failed there")
    under = breakers.add_subparsers(required=True, metavar="COMMAND")
    listing = under.add_parser("list", help="the breakers that are open")
    add_options(listing)
    listing.set_defaults(run=_list)
    close = under.add_parser(
        "close",
        help="let acting go on",
        description="What failed before does not count any more. A rule that was demoted for it stays so until it is "
        "approved again.",
    )
    close.add_argument("target", metavar="KIND/NAMESPACE/NAME")
    close.add_argument("--why", required=True, metavar="TEXT", help="kept with your name")
    add_options(close)
    close.set_defaults(run=_close)


def _list(args: argparse.Namespace) -> int:
    content = Daemon.named_by(args).get("/api/v1/breakers")
    if args.output == "json":
        print_json(content)
        return 0
    names = ("TARGET", "OPEN SINCE (UTC)", "UNTIL (UTC)", "RULES", "WHAT FAILED")
    rows = [
        (
            each["target"],
            moment(each["opened_at"]),
            moment(each["until"]),
            ", ".join(each["rules"]),
            each["why"],
        )
        for each in content["breakers"]
    ]
    print_table(names, rows)
    return 0


def _close(args: argparse.Namespace) -> int:
    closed = Daemon.named_by(args).ask("POST", f"/api/v1/breakers/{args.target}/close", {"why": args.why})
    if args.output == "json":
        print_json(closed)
        return 0
    print(f"the breaker of {closed['target']} is closed: rules may act there again")
    return 0
