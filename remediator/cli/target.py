"""`remediator target check`: may a pipeline deploy this image, or was it rolled back from?"""

import argparse
import sys
from urllib.parse import quote

from remediator.cli.client import Daemon, add_options
from remediator.cli.commands import Commands
from remediator.cli.output import moment, print_json, print_table
from remediator.domain.target import Target
from remediator.errors import RemediatorError
from remediator.incidents.printable import printable

_ROLLED_BACK = 1
_NOT_KNOWN = 3


def add_commands(commands: Commands) -> None:
    """Add `target` and what belongs under it."""
    target = commands.add_parser("target", help="ask about one workload")
    under = target.add_subparsers(required=True, metavar="COMMAND")
    check = under.add_parser(
        "check",
        help="was this image rolled back from? For pipelines",
        description="Exit status: 0 it was not, or was accepted again; 1 it was rolled back from; 2 wrong usage; "
        "3 it cannot be known, because the daemon does not answer or does not know you.",
    )
    check.add_argument("target", type=_target, metavar="KIND/NAMESPACE/NAME", help="deployment/shop/checkout")
    check.add_argument(
        "--image", required=True, type=_image, metavar="IMAGE", help="as it would stand in the template"
    )
    add_options(check)
    check.set_defaults(run=_check)


def _target(text: str) -> str:
    try:
        return str(Target.parse(text, cluster=""))
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from wrong


def _image(text: str) -> str:
    if not text or not text.isprintable() or " " in text:
        raise argparse.ArgumentTypeError(f"{text!r} names no image")
    return text


def _check(args: argparse.Namespace) -> int:
    try:
        answer = Daemon.named_by(args).get(f"/api/v1/targets/{quote(args.target)}", {"image": args.image})
        rolled_back, why, rollbacks = bool(answer["rolled_back"]), str(answer["why"]), answer["rollbacks"]
    except RemediatorError as reason:
        print(f"remediator: it cannot be known: {reason.sentence}", file=sys.stderr)
        return _NOT_KNOWN
    except (KeyError, TypeError):
        print("remediator: it cannot be known: the daemon's answer is not understood", file=sys.stderr)
        return _NOT_KNOWN
    if args.output == "json":
        print_json(answer)
    else:
        said = "was rolled back from" if rolled_back else "is not rolled back from"
        print(printable(f"{args.image} {said} on {args.target}: {why}"))
        if rollbacks:
            names = ("AT (UTC)", "RUN", "ENDED", "RULE", "FROM", "TO")
            print_table(
                names,
                [
                    (
                        moment(each["at"]),
                        each["run"],
                        each["run_state"],
                        each["rule"],
                        each["from"],
                        each["to"],
                    )
                    for each in rollbacks
                ],
            )
    return _ROLLED_BACK if rolled_back else 0
