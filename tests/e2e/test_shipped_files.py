"""promtool and amtool read every Prometheus and Alertmanager file we ship, and every query of the shipped rules."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from remediator.rulebook.load import load
from tests.e2e.monitoring import binary

pytestmark = pytest.mark.e2e


def shipped(*keys: str) -> list[Path]:
    """The YAML files below deploy/ that have these keys at the top."""
    found = []
    for path in sorted(Path("deploy").rglob("*.y*ml")):
        documents = [each for each in yaml.safe_load_all(path.read_text()) if isinstance(each, dict)]
        if any(set(keys) <= set(each) for each in documents):
            found.append(path)
    return found


def whole_alertmanager_files() -> list[Path]:
    """Those that have everything; what is to be pasted into another file has no default receiver."""
    found = shipped("route", "receivers")
    return [path for path in found if yaml.safe_load(path.read_text())["route"].get("receiver")]


def checked(*command: str) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_there_are_such_files() -> None:
    assert shipped("groups")
    assert whole_alertmanager_files()


@pytest.mark.parametrize("path", shipped("groups"), ids=str)
def test_promtool_accepts_the_alerting_rules(path: Path) -> None:
    checked(binary("promtool"), "check", "rules", str(path))


@pytest.mark.parametrize("path", whole_alertmanager_files(), ids=str)
def test_amtool_accepts_the_alertmanager_configuration(path: Path) -> None:
    checked(binary("amtool"), "check-config", str(path))


def test_promtool_accepts_every_query_of_the_shipped_rules(tmp_path: Path) -> None:
    queries = list(_queries([each.model_dump(mode="json") for each in load([Path("rules")]).rules]))
    assert queries
    rules = [
        {"record": f"check:number_{number}", "expr": re.sub(r"\$\{[^}]*\}", "x", query)}
        for number, query in enumerate(queries)
    ]
    file = tmp_path / "queries.json"
    file.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
    checked(binary("promtool"), "check", "rules", str(file))


def _queries(found: Any) -> list[str]:
    if isinstance(found, dict):
        own = [found["query"]] if isinstance(found.get("query"), str) else []
        return own + [query for each in found.values() for query in _queries(each)]
    if isinstance(found, list):
        return [query for each in found for query in _queries(each)]
    return []
