"""`remediator rules test`: plays the tests of rules on the real engine, as promtool does with its own."""

import argparse
import asyncio
import logging
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from remediator.cli.commands import Commands

if TYPE_CHECKING:
    from remediator.trial.coverage import Coverage
    from remediator.trial.databases import Databases
    from remediator.trial.read import Suite
    from remediator.trial.seen import Seen


def add_commands(under: Commands) -> None:
    """Add it under `rules`."""
    test = under.add_parser(
        "test",
        help="play the tests of rules",
        description="Plays each test of these files on the real engine, against an emulated cluster, in time that "
        "passes at once. Exit status: 0 all passed, 1 something failed, 2 wrong usage.",
    )
    test.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a *.test.yaml file or a directory of them"
    )
    test.add_argument(
        "--run",
        dest="only",
        action="append",
        default=[],
        type=_regex,
        metavar="REGEX",
        help="only tests whose name matches; may be given several times",
    )
    test.add_argument(
        "--coverage",
        nargs="?",
        const="report",
        choices=["report", "fail"],
        help="say what of the rules no test exercised; with `fail` that is a failure",
    )
    test.add_argument("--debug", action="store_true", help="show what the daemon logs, and all that happened")
    test.set_defaults(run=_test)


def _regex(text: str) -> "re.Pattern[str]":
    try:
        return re.compile(text)
    except re.error as reason:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {reason}") from None


def _test(args: argparse.Namespace) -> int:
    # Here, not above: what plays the tests is the whole daemon, and takes a second to import.
    from remediator.errors import Permanent
    from remediator.sandbox.postgres import PostgresError
    from remediator.trial.coverage import Coverage
    from remediator.trial.databases import Databases, private_postgres
    from remediator.trial.read import read_suites

    suites, problems = read_suites(args.paths)
    for each in problems:
        print(each)
    if not args.debug:
        logging.getLogger("remediator").addHandler(logging.NullHandler())
        logging.getLogger("remediator").propagate = False
    coverage = Coverage()
    failed = bool(problems)
    if suites:
        try:
            with private_postgres() as server:
                databases = Databases(server)
                databases.make_templates()
                for suite in suites:
                    failed |= not _passes(suite, args, databases, coverage)
        except PostgresError as reason:
            raise Permanent(f"the PostgreSQL that tests need does not start: {reason}") from reason
    if args.coverage is not None:
        _print_coverage(coverage)
        failed |= args.coverage == "fail" and bool(coverage.missing())
    return 1 if failed else 0


def _passes(suite: "Suite", args: argparse.Namespace, databases: "Databases", coverage: "Coverage") -> bool:
    """Play one file and print what came of it."""
    from remediator.trial.compare import differences
    from remediator.trial.play import CannotPlay, play

    print(f"Unit Testing:  {suite.path}", flush=True)
    coverage.about(suite.rulebook.rules)
    failures: list[str] = []
    for case in suite.cases:
        if args.only and not any(each.search(case.name) for each in args.only):
            continue
        with (
            databases.clone("driven") as dsn,
            tempfile.TemporaryDirectory(prefix="remediator-trial-") as directory,
        ):
            played = play(case, suite.rulebook, suite.file.settings, Path(directory), dsn)
            try:
                seen = asyncio.run(played)
            except CannotPlay as reason:
                failures.append(f"    name: {case.name},\n      {reason}")
                continue
        coverage.add(seen)
        found = differences(case, seen)
        if found:
            failures.append("\n".join([f"    name: {case.name},", *(f"      {each}" for each in found)]))
        if args.debug:
            print("\n".join(_all_that_happened(case.name, seen)))
    print("\n".join(["  FAILED:", *failures]) if failures else "  SUCCESS")
    print()
    return not failures


def _all_that_happened(name: str, seen: "Seen") -> Iterator[str]:
    from remediator.trial.compare import told
    from remediator.trial.moment import at_text

    yield f"  {name}:"
    yield from (f"    {at_text(each.at):>8}  {told(each)}" for each in seen.events)


def _print_coverage(coverage: "Coverage") -> None:
    print(f"Coverage:  {coverage.percent()} % of {len(coverage.rules)} rules")
    for rule, item in coverage.missing():
        print(f"  {rule}: {_never(item)}")
    silent: Sequence[str] = coverage.never_refused()
    if silent:
        print(f"  always-on guards that no test saw refuse: {', '.join(silent)}")


def _never(item: str) -> str:
    return f"never {item}" if item == "planned" else f"{item}: never"
