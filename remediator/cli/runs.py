"""`remediator runs`: what the daemon did, run by run, and what people ask of runs."""

import argparse
from typing import Any

from remediator.cli import approvals, run_requests
from remediator.cli.client import Daemon, add_options
from remediator.cli.commands import Commands
from remediator.cli.output import moment, print_json, print_section, print_table
from remediator.cli.verdicts import print_verdicts


def add_commands(commands: Commands) -> None:
    """Add `runs` and what belongs under it."""
    runs = commands.add_parser("runs", help="list runs, tell one, answer to one, start one, take one back")
    under = runs.add_subparsers(required=True, metavar="COMMAND")
    listing = under.add_parser("list", help="the newest runs first")
    listing.add_argument("--state", type=str.upper, help="only runs in this state, such as ESCALATED")
    listing.add_argument("--limit", type=int, default=50, metavar="N", help="at most so many; 50")
    add_options(listing)
    listing.set_defaults(run=_list)
    show = under.add_parser("show", help="what one run saw, decided and did")
    show.add_argument("id", type=int, metavar="ID")
    show.add_argument(
        "--guards",
        action="store_true",
        help="each guard's inputs, when they were observed, and its threshold",
    )
    add_options(show)
    show.set_defaults(run=_show)
    explain = under.add_parser(
        "explain", help="why one run did what it did, and what would have to be otherwise for it to act"
    )
    explain.add_argument("id", type=int, metavar="ID")
    add_options(explain)
    explain.set_defaults(run=_explain)
    handover = under.add_parser(
        "handover",
        help="print the procedures that a run left to people, with every value filled in",
        description="A shell can read it: all but the commands is comment. Nothing of it was run; read it, have it "
        "agreed to, then run it line by line. Exit status: 0 something was handed over, 1 nothing was.",
    )
    handover.add_argument("id", type=int, metavar="ID")
    add_options(handover)
    handover.set_defaults(run=_handover)
    approvals.add_commands(under)
    run_requests.add_under(under)


def _list(args: argparse.Namespace) -> int:
    content = Daemon.named_by(args).get("/api/v1/runs", {"state": args.state, "limit": args.limit})
    if args.output == "json":
        print_json(content)
        return 0
    names = ("RUN", "STARTED (UTC)", "STATE", "MODE", "RULE", "TARGET", "INCIDENT", "WHY")
    print_table(names, [_row(each) for each in content["runs"]])
    return 0


def _row(run: dict[str, Any]) -> list[object]:
    undoes = run.get("undo_of")
    return [
        run["id"],
        moment(run["created_at"]),
        run["state"],
        run["mode"],
        run["rule"] if undoes is None else f"{run['rule']} (undoes run {undoes})",
        run["target"],
        run["incident_id"],
        run["why"],
    ]


def _show(args: argparse.Namespace) -> int:
    # Here, not above: reading arguments needs none of it.
    from remediator.cli.told import told

    daemon = Daemon.named_by(args)
    run = daemon.get(f"/api/v1/runs/{args.id}")
    if args.output == "json":
        print_json(run)
        return 0
    incident = daemon.get(f"/api/v1/incidents/{run['run']['incident_id']}")
    print(told(incident, [run], only_run=args.id), end="")
    if args.guards:
        print_verdicts(run["journal"])
    return 0


def _explain(args: argparse.Namespace) -> int:
    # Here, not above: reading arguments needs none of it.
    from remediator.cli.told import explained

    daemon = Daemon.named_by(args)
    run = daemon.get(f"/api/v1/runs/{args.id}")
    sections = explained(daemon.get(f"/api/v1/incidents/{run['run']['incident_id']}"), run, args.id)
    if args.output == "json":
        print_json({each.title: each.rows for each in sections})
        return 0
    for each in sections:
        print_section(each.title, each.rows)
    return 0


def _handover(args: argparse.Namespace) -> int:
    # Here, not above: reading arguments needs none of it.
    from remediator.incidents.handed_over import as_scripts, handovers_of

    run = Daemon.named_by(args).get(f"/api/v1/runs/{args.id}")
    found = handovers_of(run["journal"])
    if args.output == "json":
        print_json({"handovers": [each.to_json() for _, each in found]})
    elif found:
        print(as_scripts(run["journal"]).lstrip(), end="")
    else:
        print(
            f"Run {args.id} is {run['run']['state']} and handed over no procedure: its rule names those it may need."
        )
    return 0 if found else 1
