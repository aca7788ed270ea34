"""`remediator runs start`, `undo`, `settle` and `cancel`: what people ask of runs."""

import argparse
from collections.abc import Mapping
from typing import Any

from remediator.cli.client import Daemon, add_options
from remediator.cli.commands import Commands
from remediator.cli.output import print_json
from remediator.domain.target import Target
from remediator.incidents.printable import printable


def add_under(runs: Commands) -> None:
    """Add the commands under `runs`."""
    start = runs.add_parser(
        "start",
        help="run a rule now, without an alert",
        description="The run goes through the same guards as one that an alert made, but for those that judge the "
        "alert. Without --mode it does what the rule would do by itself: a rule in shadow gives a preview.",
    )
    start.add_argument("rule", metavar="RULE")
    start.add_argument("--target", required=True, type=_target, metavar="KIND/NAMESPACE/NAME")
    start.add_argument(
        "--mode",
        choices=["shadow", "ask", "act"],
        help="less than the rule's own mode; or ask, where somebody agrees to the very change",
    )
    _finish(start, _start)
    undo = runs.add_parser(
        "undo",
        help="take back what a run changed",
        description="Puts back the version that the run found, if the workload still has the one that it left. A run "
        "that still waits to see whether it helped is ended.",
    )
    undo.add_argument("id", type=int, metavar="ID")
    _finish(undo, _undo)
    settle = runs.add_parser(
        "settle",
        help="say whether the change of a run in UNKNOWN was made, and free its target",
        description="Look at the workload first: its annotation remediator.io/attempt names the last attempt that "
        "was applied.",
    )
    settle.add_argument("id", type=int, metavar="ID")
    word = settle.add_mutually_exclusive_group(required=True)
    word.add_argument("--applied", action="store_true", help="the change was made")
    word.add_argument("--not-applied", action="store_true", help="it was not, and will not be")
    _finish(settle, _settle)
    cancel = runs.add_parser("cancel", help="end a run before it changes anything")
    cancel.add_argument("id", type=int, metavar="ID")
    _finish(cancel, _cancel)


def _finish(parser: argparse.ArgumentParser, run: object) -> None:
    parser.add_argument("--why", required=True, type=_why, metavar="TEXT", help="stands in the journal")
    add_options(parser)
    parser.set_defaults(run=run)


def _start(args: argparse.Namespace) -> int:
    asked = {"rule": args.rule, "target": args.target, "why": args.why}
    if args.mode is not None:
        asked["mode"] = args.mode
    return _ask(args, "/api/v1/runs", asked)


def _undo(args: argparse.Namespace) -> int:
    return _ask(args, f"/api/v1/runs/{args.id}/undo", {"why": args.why})


def _settle(args: argparse.Namespace) -> int:
    return _ask(args, f"/api/v1/runs/{args.id}/settle", {"applied": args.applied, "why": args.why})


def _cancel(args: argparse.Namespace) -> int:
    return _ask(args, f"/api/v1/runs/{args.id}/cancel", {"why": args.why})


def _ask(args: argparse.Namespace, path: str, content: Mapping[str, Any]) -> int:
    answer = Daemon.named_by(args).ask("POST", path, content)
    if args.output == "json":
        print_json(answer)
    else:
        print(printable(str(answer["says"])))
    return 0


def _target(text: str) -> str:
    try:
        return str(Target.parse(text, cluster=""))
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from wrong


def _why(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("say why: it is what others will read in the journal")
    return text
