"""`remediator slo`: how the service level objectives are doing."""

import argparse
from typing import Any

from remediator.cli.client import Daemon, add_options
from remediator.cli.commands import Commands
from remediator.cli.output import print_json, print_table
from remediator.domain.sparkline import sparkline


def add_commands(commands: Commands) -> None:
    """Add `slo` and what belongs under it."""
    slo = commands.add_parser("slo", help="error budgets: what is left, and where it goes")
    under = slo.add_subparsers(required=True, metavar="COMMAND")
    status = under.add_parser(
        "status",
        help="every objective that Sloth, Pyrra or the settings tell of",
        description="Exit status 1 when an error budget is used up, or what is left of one is not known.",
    )
    add_options(status)
    status.set_defaults(run=_status)


def _status(args: argparse.Namespace) -> int:
    content = Daemon.named_by(args).get("/api/v1/slos")
    if args.output == "json":
        print_json(content)
    else:
        names = (
            "SLO",
            "SOURCE",
            "OBJECTIVE",
            "WINDOW",
            "STATE",
            "LEFT",
            "BURN",
            "7 DAYS",
            "A DAY",
            "USED UP IN",
        )
        print_table(names, [_row(each) for each in content["slos"]])
        for each in content["slos"]:
            if each["why"] is not None:
                print(f"{each['objective']['name']}: {each['why']}")
    return 1 if any(each["state"] in ("used_up", "unknown") for each in content["slos"]) else 0


def _row(status: dict[str, Any]) -> list[object]:
    objective = status["objective"]
    return [
        objective["name"],
        objective["source"],
        f"{100 * objective['objective']:.4g}%",
        objective["window"],
        status["state"].replace("_", " "),
        _percent(status["left"]),
        "" if status["burn_rate"] is None else f"{status['burn_rate']:.2f}",
        sparkline([each["left"] for each in status["history"]], 0.0, 1.0),
        _percent(status["per_day"], sign="+"),
        "" if status["days_left"] is None else f"{status['days_left']:.1f} d",
    ]


def _percent(value: float | None, sign: str = "") -> str:
    return "" if value is None else f"{100 * value:{sign}.1f}%"
