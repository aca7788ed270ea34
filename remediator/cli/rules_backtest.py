"""`remediator rules backtest`: what rules would have done over a history."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from remediator.cli.commands import Commands
from remediator.cli.output import print_json, print_section
from remediator.errors import Permanent, RemediatorError
from remediator.redaction.text import redact

if TYPE_CHECKING:
    from remediator.backtest.past import Past
    from remediator.backtest.simulate import Progress
    from remediator.backtest.terms import Terms
    from remediator.rulebook.load import Rulebook

_TROUBLE = 2
_DAYS = 30


def add_commands(under: Commands) -> None:
    """Add it under `rules`."""
    backtest = under.add_parser(
        "backtest",
        help="say what these rules would have done over a history, and what would have stopped them",
        description="Goes through a history with a simulated clock: matching, planning and every guard that the "
        "history has the facts for. What it cannot tell is said to be unknown and counted. Nothing is changed "
        "anywhere. Exit status: 0 done, or no difference; 1 the rule sets differ (--against); 2 it could not be done.",
    )
    backtest.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="rule files or directories of them"
    )
    _add_sources(backtest)
    backtest.add_argument(
        "--mode",
        choices=["shadow", "ask", "act"],
        help="as though every rule that is not off were in this mode",
    )
    backtest.add_argument(
        "--against", type=Path, metavar="PATH", help="tell only what is otherwise than with these rules"
    )
    backtest.add_argument(
        "--config.file",
        dest="config",
        type=Path,
        metavar="FILE",
        help="remediator.yml, for budgets and storms",
    )
    backtest.add_argument("--output", choices=["text", "json"], default="text", help="json is for programs")
    backtest.set_defaults(run=_backtest)


def _add_sources(backtest: argparse.ArgumentParser) -> None:
    """Where the history comes from, how much of it, and where it goes to."""
    source = backtest.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--history", type=Path, metavar="FILE", help="a history as JSON lines; see docs/rules.md"
    )
    source.add_argument("--database-url", metavar="URL", help="what a daemon's own database has seen")
    source.add_argument(
        "--prometheus", metavar="URL", help="ALERTS and kube-state-metrics' series of a Prometheus"
    )
    backtest.add_argument(
        "--days",
        type=_days,
        metavar="N",
        help=f"only the last N days; of a Prometheus {_DAYS} unless said otherwise",
    )
    backtest.add_argument(
        "--export", type=Path, metavar="FILE", help="also write the history to this file, for --history"
    )


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= 366:
        raise argparse.ArgumentTypeError("1 to 366")
    return days


def _backtest(args: argparse.Namespace) -> int:
    try:
        return _run(args)
    except RemediatorError as reason:
        # 1 means that rules differ, so trouble is 2, as with diff(1).
        print(f"remediator: {redact(reason.sentence)}", file=sys.stderr)
        return _TROUBLE


def _run(args: argparse.Namespace) -> int:
    # Here, not above: the steps behind it take a third of a second to import.
    from remediator.backtest.lines import written
    from remediator.backtest.terms import Terms
    from remediator.rulebook.load import load
    from remediator.settings.load import load_settings

    rulebook = load(args.paths)
    other = load([args.against]) if args.against is not None else None
    terms = Terms.of(load_settings(args.config, {}, {}), args.mode)
    past = _past(args, terms.cluster)
    if args.export is not None:
        _export(args.export, written(past))
    if other is not None:
        return _differences(args, past, other, rulebook, terms)
    return _report(args, past, rulebook, terms)


def _report(args: argparse.Namespace, past: "Past", rulebook: "Rulebook", terms: "Terms") -> int:
    from remediator.backtest.report import document, parts
    from remediator.backtest.simulate import simulate

    result = simulate(past, rulebook, terms, _progress("alerts"))
    rules = len(rulebook.rules)
    if args.output == "json":
        print_json(document(past, rules, terms.assumptions, result))
        return 0
    for part in parts(past, rules, terms.assumptions, result):
        print_section(part.title, part.rows)
    return 0


def _differences(
    args: argparse.Namespace, past: "Past", before: "Rulebook", after: "Rulebook", terms: "Terms"
) -> int:
    from remediator.backtest.difference import differences, json_of, row_of
    from remediator.backtest.simulate import simulate

    old = simulate(past, before, terms, _progress("alerts by the rules before"))
    new = simulate(past, after, terms, _progress("alerts by the rules now"))
    found = differences(old, new)
    assumptions = [*terms.assumptions, *past.notes]
    if args.output == "json":
        print_json({"assumptions": assumptions, "differences": [json_of(each) for each in found]})
    elif found:
        print_section("differences", [row_of(each) for each in found])
        print_section("taken for granted", [(each,) for each in assumptions])
    else:
        print("the same decisions with both")
    return 1 if found else 0


def _past(args: argparse.Namespace, cluster: str) -> "Past":
    """The history. Raises Permanent or Retryable."""
    if args.history is not None:
        from remediator.backtest.lines import read_history

        try:
            with args.history.open("rb") as lines:
                past = read_history(str(args.history), lines)
        except OSError as reason:
            raise Permanent(f"{args.history} cannot be read: {reason.strerror}") from reason
        return past if args.days is None else past.last_days(args.days)
    import asyncio

    if args.database_url is not None:
        from remediator.backtest.from_database import past_of_database

        past = asyncio.run(past_of_database(args.database_url, cluster))
        return past if args.days is None else past.last_days(args.days)
    from remediator.backtest.from_prometheus import past_of_prometheus
    from remediator.clock import SystemClock

    days = args.days or _DAYS
    return asyncio.run(past_of_prometheus(args.prometheus, SystemClock().now(), days, _progress("hours")))


def _export(file: Path, lines: Iterable[str]) -> None:
    try:
        with file.open("w", encoding="utf-8") as opened:
            opened.writelines(f"{line}\n" for line in lines)
    except OSError as reason:
        raise Permanent(f"{file} cannot be written: {reason.strerror}") from reason


def _progress(of_what: str) -> "Progress":
    """Tells people how far it is; programs and files are told nothing."""

    def tell(done: int, of: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done == of else ""
            print(f"\r{done:,} of {of:,} {of_what}", end=end, file=sys.stderr, flush=True)

    return tell
