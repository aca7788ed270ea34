"""`remediator rules`: what can be asked about rule files, and about the rules a daemon has loaded."""

import argparse
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from remediator.cli import rules_backtest, rules_check, rules_explain, rules_schema, rules_test
from remediator.cli.client import Daemon, add_options
from remediator.cli.commands import Commands
from remediator.cli.output import print_json, print_table
from remediator.errors import Permanent

_DIGEST = re.compile(r"[0-9a-f]{16}")


def add_commands(commands: Commands) -> None:
    """Add `rules` and what belongs under it."""
    rules = commands.add_parser("rules", help="check and test rule files; list and approve rules")
    under = rules.add_subparsers(required=True, metavar="COMMAND")
    rules_check.add_commands(under)
    rules_schema.add_commands(under)
    rules_explain.add_commands(under)
    rules_test.add_commands(under)
    rules_backtest.add_commands(under)
    listing = under.add_parser("list", help="the rules a daemon has loaded, and what they may do")
    add_options(listing)
    listing.set_defaults(run=_list)
    approve = under.add_parser(
        "approve",
        help="let a version of a rule act",
        description="A new rule, or one that was widened, stays in shadow until its probation is over or a "
        "person approves it. An approval is bound to the digest: the next version needs its own.",
    )
    approve.add_argument("rule", metavar="DIGEST|RULE", help="a digest, or a rule for its loaded version")
    add_options(approve)
    approve.set_defaults(run=_approve)


def _list(args: argparse.Namespace) -> int:
    content = Daemon.named_by(args).get("/api/v1/rules")
    if args.output == "json":
        print_json(content)
        return 0
    names = ("RULE", "MODE", "EFFECTIVE", "DIGEST", "OWNER", "WHY")
    rows = [
        tuple(each[name] for name in ("rule", "mode", "effective", "digest", "owner", "why"))
        for each in content["rules"]
    ]
    print_table(names, rows)
    for namespace, ceiling in sorted(content["ceilings"].items()):
        print(f"In namespace {namespace} the ceiling is {ceiling}.")
    return 0


def _approve(args: argparse.Namespace) -> int:
    daemon = Daemon.named_by(args)
    rule = _loaded(args.rule, daemon.get("/api/v1/rules")["rules"])
    digest = args.rule if rule is None else rule["digest"]
    approved = daemon.ask("POST", f"/api/v1/rules/{digest}/approve")
    if args.output == "json":
        print_json(approved)
        return 0
    print(f"{approved['rule']} {approved['digest']} is approved by {approved['approved_by']}")
    if rule is None:
        print("This version is not the one that is loaded.")
        return 0
    now = _loaded(digest, daemon.get("/api/v1/rules")["rules"]) or rule
    print(f"Its file says mode {now['mode']}; effectively it is in mode {now['effective']}: {now['why']}.")
    return 0


def _loaded(named: str, rules: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The loaded rule of this name or digest; None for a digest that is not loaded. Raises Permanent."""
    for rule in rules:
        if named in (rule["rule"], rule["digest"]):
            return rule
    if _DIGEST.fullmatch(named):
        return None
    near = get_close_matches(named, [each["rule"] for each in rules], n=1)
    hint = f"did you mean {near[0]}?" if near else "`remediator rules list` names those that are loaded."
    raise Permanent(f"no rule called {named} is loaded: {hint}")
