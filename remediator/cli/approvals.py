"""`remediator runs approve` and `runs decline`: a person's yes and no to what a run would do."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from remediator.cli.client import Daemon, add_options
from remediator.cli.commands import Commands
from remediator.cli.output import moment, print_json
from remediator.errors import Permanent
from remediator.incidents.printable import printable


def add_commands(under: Commands) -> None:
    """Add `approve` and `decline` to what belongs under `runs`."""
    approve = under.add_parser(
        "approve",
        help="agree to a run's plan",
        description="Agrees to exactly the plan with this digest, as the notice or `runs show` names it. Without a "
        "digest the plan is shown first, and on a terminal you are asked.",
    )
    approve.add_argument("id", type=int, metavar="ID")
    approve.add_argument("digest", nargs="?", metavar="DIGEST")
    approve.add_argument("--why", default="", metavar="TEXT", help="kept with the run")
    approve.add_argument("--yes", action="store_true", help="agree to the plan shown without being asked")
    add_options(approve)
    approve.set_defaults(run=_approve)
    decline = under.add_parser("decline", help="refuse a run's plan; the run ends")
    decline.add_argument("id", type=int, metavar="ID")
    decline.add_argument("--why", required=True, metavar="TEXT", help="kept with the run")
    decline.add_argument("--digest", metavar="DIGEST", help="only if this is still the plan")
    add_options(decline)
    decline.set_defaults(run=_decline)


def _approve(args: argparse.Namespace) -> int:
    daemon = Daemon.named_by(args)
    digest = args.digest or _read_and_agreed(daemon, args)
    if digest is None:
        print("nothing was agreed to")
        return 1
    answered = daemon.ask("POST", f"/api/v1/runs/{args.id}/approve", {"digest": digest, "why": args.why})
    if args.output == "json":
        print_json(answered)
        return 0
    yes = [each["who"] for each in answered["answers"] if each["yes"]]
    missing = answered["people"] - len(yes)
    print(f"run {args.id}: plan {digest} is agreed to by {', '.join(map(printable, yes))}")
    if missing > 0:
        print(f"{missing} more must agree until {moment(answered['expires_at'])} UTC")
    return 0


def _decline(args: argparse.Namespace) -> int:
    said = {"why": args.why} | ({"digest": args.digest} if args.digest else {})
    answered = Daemon.named_by(args).ask("POST", f"/api/v1/runs/{args.id}/decline", said)
    if args.output == "json":
        print_json(answered)
        return 0
    print(f"run {args.id}: plan {answered['digest']} is declined")
    return 0


def _read_and_agreed(daemon: Daemon, args: argparse.Namespace) -> str | None:
    """The digest of the plan that was shown; None when the person did not say yes to it.

    Raises Permanent when there is nothing to agree to, or nobody to ask.
    """
    content = daemon.get(f"/api/v1/runs/{args.id}")
    waiting = [each for each in content["approvals"] if not each["closed_at"] and not each["used_at"]]
    if not waiting:
        raise Permanent(f"run {args.id} is {content['run']['state']} and asks nobody for anything")
    asked = waiting[-1]
    digest = str(asked["digest"])
    asking = sys.stdin.isatty() and not args.yes
    if not asking and not args.yes:
        raise Permanent(
            f"give the digest of the plan you have read, or --yes\nrun {args.id} asks for {digest}"
        )
    for line in _plan(content, asked):
        print(printable(line), file=sys.stderr if args.output == "json" else sys.stdout)
    if not asking or input("Agree to this? [y/N] ").strip().lower() in ("y", "yes"):
        return digest
    return None


def _plan(content: Mapping[str, Any], asked: Mapping[str, Any]) -> Iterator[str]:
    run, plan = content["run"], content["plan"]
    yield f"run {run['id']} of {run['rule']} on {run['target']}, plan {asked['digest']}"
    for change in plan["changes"]:
        yield f"  {change['summary']}"
        yield f"    {change['from_title']} -> {change['to_title']}"
        yield from (f"    to be known: {each}" for each in change["caveats"])
    yield from (f"  to be known: {each}" for each in plan["caveats"])
    yield from (f"  asked because: {each}" for each in asked["asked"])
    agreed = ", ".join(each["who"] for each in asked["answers"] if each["yes"]) or "nobody yet"
    yield f"  level {asked['level']}: {asked['people']} must agree; so far {agreed}"
    yield f"  until {moment(asked['expires_at'])} UTC"
