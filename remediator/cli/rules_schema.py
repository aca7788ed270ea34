"""`remediator rules schema` and `reference`: what rule files may say, for editors and for people."""

import argparse

from remediator.cli.commands import Commands
from remediator.cli.output import print_json

_SCHEMA_HINT = "# yaml-language-server: $schema=schema.json"


def add_commands(under: Commands) -> None:
    """Add them under `rules`."""
    schema = under.add_parser(
        "schema",
        help="print the JSON Schema of rule files, or of their tests",
        description="For editors: write it to a file beside the rules and name that in their first line: "
        f"`{_SCHEMA_HINT}`. `rules check` knows more than a schema can say.",
    )
    schema.add_argument(
        "--tests", action="store_true", help="the schema of files of tests instead (*.test.yaml)"
    )
    schema.set_defaults(run=_schema)
    reference = under.add_parser(
        "reference",
        help="print every key that rule files may have, with its values and default, as Markdown",
        description="What this version knows, read off the classes themselves.",
    )
    reference.set_defaults(run=_reference)


def _schema(args: argparse.Namespace) -> int:
    from remediator.rulebook.json_schema import json_schema, schema_of

    if args.tests:
        from remediator.trial.case import CaseFile

        print_json(schema_of(CaseFile, "remediator file of tests"))
    else:
        print_json(json_schema())
    return 0


def _reference(_: argparse.Namespace) -> int:
    from remediator.rulebook.reference import reference

    print(reference(), end="")
    return 0
