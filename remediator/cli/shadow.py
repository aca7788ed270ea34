"""`remediator shadow report`: whether what a rule would have done was right, and what it has earned."""

import argparse
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from remediator.cli.client import Daemon, add_options
from remediator.cli.commands import Commands
from remediator.cli.output import print_json
from remediator.domain.duration import format_duration
from remediator.incidents.printable import printable

Json = Mapping[str, Any]

_WIDTH = 22


def add_commands(commands: Commands) -> None:
    """Add `shadow` and what belongs under it."""
    shadow = commands.add_parser(
        "shadow", help="what rules in shadow would have done, and what happened instead"
    )
    under = shadow.add_subparsers(required=True, metavar="COMMAND")
    report = under.add_parser(
        "report",
        help="whether each rule would have been right",
        description="For each rule: what became of the targets that it would have changed, how sure that is, and "
        "whether it has earned mode ask or act. What is not known is counted as unknown.",
    )
    report.add_argument("--rule", metavar="RULE", help="this rule only")
    report.add_argument("--days", type=int, default=30, metavar="N", help="so many days back; 30")
    add_options(report)
    report.set_defaults(run=_report)


def _report(args: argparse.Namespace) -> int:
    content = Daemon.named_by(args).get("/api/v1/shadow", {"rule": args.rule, "days": args.days})
    if args.output == "json":
        print_json(content)
        return 0
    begin, end = (f"{datetime.fromisoformat(content[each]):%Y-%m-%d %H:%M}" for each in ("from", "to"))
    print(f"decisions in shadow from {begin} to {end} UTC")
    shown = [each for each in content["rules"] if args.rule or _has_something(each)]
    for each in shown:
        print()
        for line in _lines(each, content["demotes"]):
            print(printable(line))
    silent = len(content["rules"]) - len(shown)
    if silent:
        print(f"\nof {silent} other rule{'s' * (silent > 1)} there is nothing to tell")
    return 0


def _has_something(rule: Json) -> bool:
    counts = ("decisions", "stopped", "without_plan", "of_other_versions")
    return bool(rule["acted"]) or any(rule[each] for each in counts)


def _lines(rule: Json, demotes: Json) -> Iterator[str]:
    held = "" if rule["effective"] == rule["mode"] else f", effectively {rule['effective']}"
    yield f"{rule['rule']}  {rule['digest']}  mode {rule['mode']}{held}"
    yield _row(
        "decisions", f"{rule['decisions']}" + (f", {rule['asks']} after asking" if rule["asks"] else "")
    )
    yield from _outcomes(rule)
    yield from _not_decided(rule)
    yield _row("precision", _precision(rule["precision"]))
    yield _row("minutes saved", _saved(rule))
    yield _row("would have harmed", f"{rule['harmed']}")
    yield _row("healed by themselves", _healing(rule))
    verdict = rule["verdict"]
    yield _row("has earned", verdict["earned"])
    for lack in verdict["lacks"]:
        yield _row("", lack)
    if rule["acted"]:
        yield _row("after acting", _acted(rule["acted"], demotes))


def _outcomes(rule: Json) -> Iterator[str]:
    yield _row("  people did the same", f"{rule['same']}")
    yield _row("  something else", f"{rule['something_else']}")
    yield _row("  healed alone", f"{rule['alone']}")
    yield _row("  got worse", f"{rule['worse']}")
    yield _row("  unknown", f"{sum(rule['unknown'].values())}{_counted(rule['unknown'])}")


def _not_decided(rule: Json) -> Iterator[str]:
    if rule["stopped"]:
        yield _row("stopped by guards", f"{rule['stopped']}{_counted(rule['stopped_by'])}")
    if rule["without_plan"]:
        yield _row("nothing to propose", f"{rule['without_plan']}")
    if rule["of_other_versions"]:
        yield _row("other versions of it", f"{rule['of_other_versions']} looks, counted nowhere here")


def _precision(share: Json) -> str:
    if not share["of"]:
        return "not known: of no decision is it known what became of it"
    value = share["right"] / share["of"]
    return f"{value:.2f}, certainly {share['low']:.2f} to {share['high']:.2f} ({share['right']} of {share['of']})"


def _saved(rule: Json) -> str:
    minutes = f"{rule['saved_seconds'] / 60:.0f}"
    seconds = rule["verification_seconds"]
    if seconds is None:
        return f"{minutes}, without what its own cure would take, which is not known"
    return f"{minutes}, less {_duration(seconds)} each that its own cure takes"


def _healing(rule: Json) -> str:
    healing = rule["self_healing"]
    if healing is None:
        return "none"
    times = ", ".join(f"p{each} {_duration(healing[f'p{each}_seconds'])}" for each in (50, 90, 99))
    wait = healing["suggested_wait"]
    says = f"; suggested wait: {wait}, now {_duration(rule['wait_seconds'])}" if wait else ""
    return f"{healing['episodes']}, {times}{says}"


def _acted(acted: Json, demotes: Json) -> str:
    share = acted["held_share"]
    counts = f"{acted['held']} held, {acted['came_back']} came back, {acted['escalated']} escalated"
    early = f", {acted['too_early']} too early to tell" if acted["too_early"] else ""
    within = f" within {demotes['demote_within']}: {_precision(share)}" if share["of"] else ""
    return f"{counts}{early}{within}"


def _counted(names: Json) -> str:
    return f" ({', '.join(f'{name} {count}' for name, count in names.items())})" if names else ""


def _row(name: str, says: str) -> str:
    return f"  {name:<{_WIDTH}}{says}"


def _duration(seconds: float) -> str:
    return format_duration(timedelta(seconds=round(seconds)))
