"""`remediator pause`, `freeze`, `resume` and `pauses`: make the daemon stand still, and let it go on."""

import argparse
from typing import Any

from remediator.cli.client import Daemon, add_options
from remediator.cli.commands import Commands
from remediator.cli.output import moment, print_json, print_table
from remediator.domain.switch import covers

_SCOPES = ("namespace", "rule", "target")


def add_commands(commands: Commands) -> None:
    """Add `pause`, `freeze`, `resume` and `pauses`."""
    pause = commands.add_parser(
        "pause",
        help="change nothing from now on",
        description="No change is begun after this; one that is already sent is not called back. Without a "
        "scope everything is paused.",
    )
    _add_what(pause)
    pause.add_argument(
        "--for", dest="lasts", metavar="DURATION", help="such as 2h; until resumed if left out"
    )
    pause.set_defaults(run=_pause)
    freeze = commands.add_parser(
        "freeze",
        help="change nothing in a time to come",
        description="A pause that is planned: a release freeze, a maintenance window. Without a scope everything "
        "is frozen. Times are like 2026-12-24T18:00Z or 2026-12-24T18:00+01:00.",
    )
    _add_what(freeze)
    freeze.add_argument("--from", dest="begins", metavar="TIME", help="now if left out")
    freeze.add_argument("--until", required=True, metavar="TIME")
    freeze.set_defaults(run=_freeze)
    resume = commands.add_parser("resume", help="end a pause or a freeze")
    resume.add_argument("name", metavar="NAME|ID", help="as `remediator pauses` lists it")
    resume.add_argument("--why", required=True, metavar="TEXT", help="stands in the journal with your name")
    add_options(resume)
    resume.set_defaults(run=_resume)
    pauses = commands.add_parser("pauses", help="list pauses and freezes, also those to come")
    add_options(pauses)
    pauses.set_defaults(run=_list)


def _add_what(parser: argparse.ArgumentParser) -> None:
    scope = parser.add_mutually_exclusive_group()
    scope.add_argument("--namespace", metavar="NAME", help="only what lies in this namespace")
    scope.add_argument("--rule", metavar="NAME", help="only runs of this rule")
    scope.add_argument("--target", metavar="KIND/NAMESPACE/NAME", help="only this workload")
    parser.add_argument("--why", required=True, metavar="TEXT", help="shown wherever it refuses")
    parser.add_argument("--name", metavar="NAME", help="to resume it by; made up if left out")
    add_options(parser)


def _pause(args: argparse.Namespace) -> int:
    return _make(args, "pause", {"for": args.lasts})


def _freeze(args: argparse.Namespace) -> int:
    return _make(args, "freeze", {"from": args.begins, "until": args.until})


def _make(args: argparse.Namespace, kind: str, times: dict[str, str | None]) -> int:
    named = [each for each in _SCOPES if getattr(args, each) is not None]
    scope = named[0] if named else "everything"
    asked = {
        "scope": scope,
        "value": getattr(args, scope, ""),
        "why": args.why,
        "name": args.name,
        **{name: value for name, value in times.items() if value is not None},
    }
    made = Daemon.named_by(args).ask("POST", f"/api/v1/{kind}s", asked)
    if args.output == "json":
        print_json(made)
        return 0
    did = "is paused" if kind == "pause" else f"is frozen from {moment(made['from'])} UTC"
    until = f"until {moment(made['until'])} UTC" if made["until"] else "until somebody resumes it"
    print(f"{_covered(made)} {did} {until}: {made['name']}")
    print(f"To end it: remediator resume {made['name']} --why TEXT")
    return 0


def _resume(args: argparse.Namespace) -> int:
    ended = Daemon.named_by(args).ask("POST", f"/api/v1/pauses/{args.name}/resume", {"why": args.why})
    if args.output == "json":
        print_json(ended)
        return 0
    print(f"{ended['ended']['name']} of {_covered(ended['ended'])} is over")
    left = [each for each in ended["pauses"] if each["in_force"]]
    if left:
        names = ", ".join(f"{_covered(each)} ({each['name']})" for each in left)
        print(f"this still stands still: {names}")
    return 0


def _list(args: argparse.Namespace) -> int:
    content = Daemon.named_by(args).get("/api/v1/pauses")
    if args.output == "json":
        print_json(content)
        return 0
    names = ("NAME", "KIND", "SOURCE", "COVERS", "FROM (UTC)", "UNTIL (UTC)", "WHO", "WHY")
    rows = [
        (
            each["name"],
            each["kind"] if each["in_force"] else f"{each['kind']} to come",
            each["source"],
            _covered(each),
            moment(each["from"]),
            moment(each["until"]),
            each["who"],
            each["why"],
        )
        for each in content["pauses"]
    ]
    print_table(names, rows)
    return 0


def _covered(pause: dict[str, Any]) -> str:
    return covers(pause["scope"], pause["value"])
