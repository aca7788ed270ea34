"""`remediator rules check` and `rules schema`: what is wrong with rule files, before and while they are written."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from remediator.cli.commands import Commands
from remediator.cli.output import print_json

if TYPE_CHECKING:
    from remediator.rulebook.load import ReadFile
    from remediator.rulebook.problem import Problem

_SCHEMA_HINT = "# yaml-language-server: $schema=schema.json"


def add_commands(under: Commands) -> None:
    """Add both of them under `rules`."""
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
    check.set_defaults(run=_check)
    schema = under.add_parser(
        "schema",
        help="print the JSON Schema of rule files",
        description="For editors: write it to a file beside the rules and name that in their first line: "
        f"`{_SCHEMA_HINT}`. `rules check` knows more than a schema can say.",
    )
    schema.set_defaults(run=_schema)


def _check(args: argparse.Namespace) -> int:
    # Here, not above: the steps behind it take a third of a second to import.
    from remediator.clock import SystemClock
    from remediator.rulebook.lint import lint
    from remediator.rulebook.load import read

    files, mistakes = read(args.paths)
    warnings = lint(files, SystemClock().now().date()) if args.lint == "all" else ()
    _PRINT[args.output](files, sorted([*mistakes, *warnings]))
    return 1 if mistakes or (warnings and args.lint_fatal) else 0


def _schema(_: argparse.Namespace) -> int:
    from remediator.rulebook.json_schema import json_schema

    print_json(json_schema())
    return 0


def _print_text(files: Sequence["ReadFile"], problems: Sequence["Problem"]) -> None:
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


def _print_json(files: Sequence["ReadFile"], problems: Sequence["Problem"]) -> None:
    from remediator.rulebook.load import rulebook_of

    content: dict[str, object] = {"problems": [asdict(each) for each in problems]}
    if all(each.severity == "warning" for each in problems):
        content |= {"rules": _rules_in(files), "files": len(files), "digest": rulebook_of(files).digest}
    print_json(content)


def _print_github(_: Sequence["ReadFile"], problems: Sequence["Problem"]) -> None:
    """GitHub's workflow commands (docs.github.com: workflow commands for GitHub Actions)."""
    for each in problems:
        place = f",line={each.line},col={each.column}" if each.line else ""
        print(f"::{each.severity} file={_property(each.file)}{place}::{_data(each.sentence)}")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _rules_in(files: Sequence["ReadFile"]) -> int:
    return sum(len(each.parsed.rules) for each in files if each.parsed is not None)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


_Print: TypeAlias = Callable[[Sequence["ReadFile"], Sequence["Problem"]], None]
_PRINT: dict[str, _Print] = {"text": _print_text, "json": _print_json, "github": _print_github}
