"""`remediator incidents`: problems, and what became of them."""

import argparse
from typing import Any

from remediator.cli.client import Daemon, add_options
from remediator.cli.commands import Commands
from remediator.cli.output import moment, print_json, print_table

_MOST_RUNS = 20
"""Of an incident, the newest whose attempts are asked for; the journal tells all the others."""


def add_commands(commands: Commands) -> None:
    """Add `incidents` and what belongs under it."""
    incidents = commands.add_parser("incidents", help="list incidents, or tell one")
    under = incidents.add_subparsers(required=True, metavar="COMMAND")
    listing = under.add_parser("list", help="the newest incidents first")
    listing.add_argument("--limit", type=int, default=50, metavar="N", help="at most so many; 50")
    add_options(listing)
    listing.set_defaults(run=_list)
    show = under.add_parser("show", help="what fired, what was seen and done, and whether it helped")
    show.add_argument("id", type=int, metavar="ID")
    add_options(show)
    show.set_defaults(run=_show)


def _list(args: argparse.Namespace) -> int:
    content = Daemon.named_by(args).get("/api/v1/incidents", {"limit": args.limit})
    if args.output == "json":
        print_json(content)
        return 0
    names = ("INCIDENT", "OPENED (UTC)", "CLOSED (UTC)", "SEVERITY", "TARGET", "TITLE")
    print_table(names, [_row(each) for each in content["incidents"]])
    return 0


def _row(incident: dict[str, Any]) -> list[object]:
    target = "/".join(str(incident[part]) for part in ("kind", "namespace", "name"))
    return [
        incident["id"],
        moment(incident["opened_at"]),
        moment(incident["closed_at"]) or "open",
        incident["severity"],
        target if incident["kind"] is not None else "none",
        incident["title"],
    ]


def _show(args: argparse.Namespace) -> int:
    # Here, not above: reading arguments needs none of it.
    from remediator.cli.told import told

    daemon = Daemon.named_by(args)
    incident = daemon.get(f"/api/v1/incidents/{args.id}")
    if args.output == "json":
        print_json(incident)
        return 0
    acting = [each["id"] for each in incident["runs"] if each["mode"] != "shadow"][-_MOST_RUNS:]
    runs = [daemon.get(f"/api/v1/runs/{each}") for each in acting]
    print(told(incident, runs), end="")
    return 0
