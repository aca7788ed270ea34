"""`remediator rules check`: what is wrong with rule files."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from remediator.cli.commands import Commands
from remediator.cli.output import print_json
from remediator.errors import Permanent

if TYPE_CHECKING:
    from remediator.doctor.finding import Examined
    from remediator.rulebook.load import ReadFile
    from remediator.rulebook.problem import Problem


def add_commands(under: Commands) -> None:
    """Add it under `rules`."""
    check = under.add_parser(
        "check",
        help="say everything that is wrong with rule files",
        description="Reads rule files as the daemon would and names every mistake with its line and column. "
        "Warnings are about what is in order and yet hardly meant. "
        "Exit status: 0 all fine, 1 mistakes found, 2 wrong usage.",
    )
    check.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a rule file or a directory of them"
    )
    check.add_argument("--lint", choices=["all", "none"], default="all", help="whether to warn as well")
    check.add_argument("--lint-fatal", action="store_true", help="exit with 1 for warnings too")
    check.add_argument(
        "--output",
        choices=["text", "json", "github"],
        default="text",
        help="json is for programs, github for annotations in a pull request",
    )
    check.add_argument(
        "--live",
        action="store_true",
        help="also ask Prometheus, Alertmanager and the cluster of --config.file whether these rules can work",
    )
    check.add_argument(
        "--config.file", dest="config", type=Path, metavar="FILE", help="remediator.yml, for --live"
    )
    check.set_defaults(run=_check)


def _check(args: argparse.Namespace) -> int:
    # Here, not above: the steps behind it take a third of a second to import.
    from remediator.clock import SystemClock
    from remediator.rulebook.lint import lint
    from remediator.rulebook.load import read

    files, mistakes = read(args.paths)
    warnings = lint(files, SystemClock().now().date()) if args.lint == "all" else ()
    examined = _live(args) if args.live and not mistakes else []
    _PRINT[args.output](files, sorted([*mistakes, *warnings]), examined)
    failed = any(finding.level == "failed" for each in examined for finding in each.findings)
    return 1 if mistakes or failed or (warnings and args.lint_fatal) else 0


def _live(args: argparse.Namespace) -> "list[Examined]":
    """Whether what the rules ask of the systems around them is there. Raises Permanent."""
    import asyncio
    import os

    from remediator.cli.doctor import examined_by
    from remediator.doctor.examine import OF_RULES
    from remediator.settings.load import load_settings

    if args.config is None:
        raise Permanent(
            "--live needs --config.file: it says where Prometheus, Alertmanager and the cluster are"
        )
    settings = load_settings(args.config, {"rules": args.paths}, os.environ)
    return asyncio.run(examined_by(settings, OF_RULES))


def _print_text(
    files: Sequence["ReadFile"], problems: Sequence["Problem"], examined: "Sequence[Examined]"
) -> None:
    from remediator.cli.doctor import print_examined

    for each in problems:
        print(each)
    errors = sum(each.severity == "error" for each in problems)
    found = [
        _count(number, thing)
        for number, thing in ((errors, "problem"), (len(problems) - errors, "warning"))
        if number
    ]
    if found:
        print(" and ".join(found), "found")
    if not errors:
        rules = _rules_in(files)
        print(f"{_count(rules, 'rule')} in {_count(len(files), 'file')} {'is' if rules == 1 else 'are'} fine")
    if examined:
        print_examined(examined)


def _print_json(
    files: Sequence["ReadFile"], problems: Sequence["Problem"], examined: "Sequence[Examined]"
) -> None:
    from remediator.rulebook.load import rulebook_of

    content: dict[str, object] = {"problems": [asdict(each) for each in problems]}
    if all(each.severity == "warning" for each in problems):
        content |= {"rules": _rules_in(files), "files": len(files), "digest": rulebook_of(files).digest}
    if examined:
        content["checks"] = [each.to_json() for each in examined]
    print_json(content)


def _print_github(
    _: Sequence["ReadFile"], problems: Sequence["Problem"], examined: "Sequence[Examined]"
) -> None:
    """GitHub's workflow commands (docs.github.com: workflow commands for GitHub Actions)."""
    for each in problems:
        place = f",line={each.line},col={each.column}" if each.line else ""
        print(f"::{each.severity} file={_property(each.file)}{place}::{_data(each.sentence)}")
    for check in examined:
        for finding in check.findings:
            if finding.level != "ok":
                level = "error" if finding.level == "failed" else "warning"
                print(f"::{level}::{_data(f'{check.check}: {finding.saw}. Do: {finding.do}')}")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _rules_in(files: Sequence["ReadFile"]) -> int:
    return sum(len(each.parsed.rules) for each in files if each.parsed is not None)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


_Print: TypeAlias = Callable[[Sequence["ReadFile"], Sequence["Problem"], Sequence["Examined"]], None]
_PRINT: dict[str, _Print] = {"text": _print_text, "json": _print_json, "github": _print_github}
