"""`remediator pause`, `resume` and `pauses`: make the daemon stand still, and let it go on."""

import argparse

from remediator.cli.client import Daemon, add_options
from remediator.cli.commands import Commands
from remediator.cli.output import moment, print_json, print_table


def add_commands(commands: Commands) -> None:
    """Add `pause`, `resume` and `pauses`."""
    pause = commands.add_parser(
        "pause",
        help="change nothing from now on",
        description="No change is begun after this; one that is already sent is not called back. Without a "
        "scope everything is paused.",
    )
    scope = pause.add_mutually_exclusive_group()
    scope.add_argument("--namespace", metavar="NAME", help="only what lies in this namespace")
    scope.add_argument("--rule", metavar="NAME", help="only runs of this rule")
    scope.add_argument("--target", metavar="KIND/NAMESPACE/NAME", help="only this workload")
    pause.add_argument("--why", required=True, metavar="TEXT", help="shown wherever the pause refuses")
    pause.add_argument("--until", metavar="DURATION", help="so long, such as 2h; until resumed if left out")
    add_options(pause)
    pause.set_defaults(run=_pause)
    resume = commands.add_parser("resume", help="end a pause")
    resume.add_argument("id", type=int, metavar="ID", help="as `remediator pauses` lists it")
    add_options(resume)
    resume.set_defaults(run=_resume)
    pauses = commands.add_parser("pauses", help="list the pauses in force")
    add_options(pauses)
    pauses.set_defaults(run=_list)


def _pause(args: argparse.Namespace) -> int:
    asked = {"scope": "everything", "value": "", "why": args.why}
    for scope in ("namespace", "rule", "target"):
        if getattr(args, scope) is not None:
            asked |= {"scope": scope, "value": getattr(args, scope)}
    if args.until is not None:
        asked["for"] = args.until
    made = Daemon.named_by(args).ask("POST", "/api/v1/pauses", asked)
    if args.output == "json":
        print_json(made)
        return 0
    until = f"until {moment(made['until'])} UTC" if made["until"] else "until somebody resumes it"
    print(f"{_covered(made)} is paused {until}: pause {made['id']}")
    print(f"To end it: remediator resume {made['id']}")
    return 0


def _resume(args: argparse.Namespace) -> int:
    cleared = Daemon.named_by(args).ask("DELETE", f"/api/v1/pauses/{args.id}")
    if args.output == "json":
        print_json(cleared)
        return 0
    print(f"pause {args.id} is over")
    left = cleared["pauses"]
    if left:
        print(f"still paused: {', '.join(_covered(each) for each in left)}")
    return 0


def _list(args: argparse.Namespace) -> int:
    content = Daemon.named_by(args).get("/api/v1/pauses")
    if args.output == "json":
        print_json(content)
        return 0
    names = ("PAUSE", "SINCE (UTC)", "UNTIL (UTC)", "COVERS", "WHO", "WHY")
    rows = [
        (
            each["id"],
            moment(each["created_at"]),
            moment(each["until"]),
            _covered(each),
            each["who"],
            each["why"],
        )
        for each in content["pauses"]
    ]
    print_table(names, rows)
    return 0


def _covered(pause: dict[str, str]) -> str:
    return f"{pause['scope']} {pause['value']}".strip()
