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
Row = tuple[str, str]

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
        held = "" if each["effective"] == each["mode"] else f", effectively {each['effective']}"
        print(f"\n{each['rule']} (mode {each['mode']}{held}; {each['digest']})")
        for name, says in _rows(each, content["demotes"]):
            print(f"  {name:<{_WIDTH}}{printable(says)}")
    silent = len(content["rules"]) - len(shown)
    if silent:
        print(f"\nof {silent} other rule{'s' * (silent > 1)} there is nothing to tell")
    return 0


def _has_something(rule: Json) -> bool:
    return bool(rule["acted"] or rule["decisions"]["count"] or any(rule["left_out"].values()))


def _rows(rule: Json, demotes: Json) -> Iterator[Row]:
    decisions = rule["decisions"]
    yield from _decisions(decisions)
    yield from _left_out(rule["left_out"])
    if decisions["count"]:
        yield "precision", _share(rule["precision"]) or "of no decision is it known what became of it"
        yield "minutes saved", _saved(rule)
        yield "would have harmed", f"{rule['harmed']}"
    if rule["self_healing"]:
        yield "healed by itself", _healing(rule["self_healing"], rule["wait_seconds"])
    if rule["acted"]:
        yield "after acting", _acted(rule["acted"], demotes)
    if decisions["count"]:
        yield "has earned", rule["promotion"]["earned"]
        for lack in rule["promotion"]["lacks"]:
            yield "", lack


def _decisions(decisions: Json) -> Iterator[Row]:
    asks = f", {decisions['asks']} of them only asking a person" if decisions["asks"] else ""
    yield "decisions", f"{decisions['count']}{asks}"
    if not decisions["count"]:
        return
    yield "  people did the same", f"{decisions['same']}"
    yield "  something else", f"{decisions['something_else']}"
    yield "  healed alone", f"{decisions['alone']}"
    yield "  got worse", f"{decisions['worse']}"
    unknown = decisions["unknown"]
    yield "  unknown", f"{sum(unknown.values())}{_counted(unknown)}"


def _left_out(left_out: Json) -> Iterator[Row]:
    if left_out["stopped"]:
        yield "stopped by guards", f"{left_out['stopped']}{_counted(left_out['stopped_by'])}"
    if left_out["without_plan"]:
        yield "nothing to propose", f"{left_out['without_plan']}"
    if left_out["of_other_versions"]:
        yield "other versions of it", f"{left_out['of_other_versions']} looks, counted nowhere here"


def _share(share: Json) -> str:
    """With its interval; empty where nothing was counted."""
    if not share["of"]:
        return ""
    counted, low, high = share["right"] / share["of"], share["low"], share["high"]
    return f"{counted:.2f}, {share['right']} of {share['of']} (95 % interval: {low:.2f} to {high:.2f})"


def _saved(rule: Json) -> str:
    minutes = f"{rule['saved_seconds'] / 60:.0f}"
    seconds = rule["verification_seconds"]
    if seconds is None:
        return f"{minutes}, without what its own cure would take, which is not known"
    return f"{minutes}, less {_duration(seconds)} each that its own cure takes"


def _healing(healing: Json, now_waits: float) -> str:
    times = ", ".join(f"p{each} {_duration(healing[f'p{each}_seconds'])}" for each in (50, 90, 99))
    wait = healing["suggested_wait"]
    says = f"; suggested wait: {wait} (now {_duration(now_waits)})" if wait else ""
    return f"{healing['episodes']} times, {times}{says}"


def _acted(acted: Json, demotes: Json) -> str:
    unknown = f", {acted['unknown']} nobody knows" if acted["unknown"] else ""
    early = f", {acted['too_early']} too early to tell" if acted["too_early"] else ""
    share = _share(acted["held_share"])
    return (
        f"{acted['held']} held, {acted['came_back']} came back, {acted['not_helped']} did not help{unknown}{early}, "
        f"in {demotes['demote_within']} and since it was approved{f'; held {share}' if share else ''}"
    )


def _counted(names: Json) -> str:
    return f" ({', '.join(f'{name} {count}' for name, count in names.items())})" if names else ""


def _duration(seconds: float) -> str:
    return format_duration(timedelta(seconds=round(seconds)))
