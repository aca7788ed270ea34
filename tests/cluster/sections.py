"""The shipped rules, in mode act and in a hurry: what they wait and hold for in minutes takes seconds here."""

from pathlib import Path
from typing import Any

import yaml

from remediator.domain.target import Target
from remediator.rulebook.files import find_rule_files
from remediator.rulebook.load import load
from remediator.rulebook.rule import Rule
from remediator.verifications.promql import Promql

_SHIPPED = Path(__file__).parents[2] / "rules"
_HURRY = {"for": "1s", "within": "2m"}


def shipped_in_a_hurry(soak: float) -> str:
    """One rule file of all of them."""
    return yaml.safe_dump({"rules": [_hurried(each, soak) for each in _shipped().values()]})


def _shipped() -> dict[str, Rule]:
    return {each.rule: each for each in load(find_rule_files([_SHIPPED])[0]).rules}


def diagnostics_of(rule: str) -> list[str]:
    return [each.key() for each in _shipped()[rule].diagnostics]


def asked_after(rule: str, target: Target, labels: dict[str, str]) -> dict[str, float]:
    """What a rule's verifications ask Prometheus about this target, and the answer of one that is well again."""
    found: dict[str, float] = {}
    for each in (each for rung in _shipped()[rule].ladder for each in rung.verifications):
        if isinstance(each, Promql):
            found[_filled(each.query, target, labels)] = 0.0
            if each.traffic is not None:
                found[_filled(each.traffic.query, target, labels)] = 100.0
    return found


def _filled(query: str, target: Target, labels: dict[str, str]) -> str:
    filled = query.replace("${target.namespace}", target.namespace).replace("${target.name}", target.name)
    for name, value in labels.items():
        filled = filled.replace(f"${{labels.{name}}}", value)
    return filled


def _hurried(rule: Rule, soak: float) -> dict[str, Any]:
    made = rule.model_dump(mode="json", exclude={"targets", "wait"}, exclude_none=True, exclude_defaults=True)
    for rung in (made, *made.get("rungs", ())):
        rung["actions"] = [
            {"rollback": {"soak": f"{soak:g}s"}} if "rollback" in each else each
            for each in rung.get("actions", ())
        ]
        rung["verifications"] = [
            {key: {**fields, **{name: took for name, took in _HURRY.items() if name in fields}}}
            for each in rung.get("verifications", ())
            for key, fields in each.items()
        ]
    return {**made, "mode": "act"}
