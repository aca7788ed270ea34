"""The example in docs/rules.md is a file of tests that passes, and the tables name every key."""

import asyncio
import re
import shutil
from pathlib import Path

import pytest
from pydantic import BaseModel

from remediator.trial.case import (
    AlertSeries,
    Case,
    CaseFile,
    CaseSettings,
    Metric,
    NamespaceFacts,
    NodeState,
    Revision,
    Silence,
    Workload,
    Write,
)
from remediator.trial.compare import differences
from remediator.trial.expected import Expected
from remediator.trial.play import play
from remediator.trial.read import read_suites
from tests.support.databases import Databases
from tests.trial.shipped import RULES

SECTION = (RULES.parent / "docs" / "rules.md").read_text().partition("\n## Testing rules\n")[2]
SHAPES = [
    *(AlertSeries, Case, CaseFile, CaseSettings, Expected, Metric),
    *(NamespaceFacts, NodeState, Revision, Silence, Workload, Write),
]


def test_the_example_passes(tmp_path: Path, databases: Databases) -> None:
    (example,) = re.findall(r"~~~yaml\n(.*?)~~~", SECTION, re.DOTALL)
    (tmp_path / "checkout.test.yaml").write_text(example)
    shutil.copy(RULES / "high_error_rate.yaml", tmp_path)
    ((suite,), problems) = read_suites([tmp_path])
    assert problems == []
    for number, case in enumerate(suite.cases):
        directory = tmp_path / str(number)
        directory.mkdir()
        with databases.clone("driven") as dsn:
            seen = asyncio.run(play(case, suite.rulebook, suite.file.settings, directory, dsn))
        assert "\n".join(map(str, differences(case, seen))) == ""
    assert len(suite.cases) == 2


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_every_key_is_explained(shape: type[BaseModel]) -> None:
    for name, field in shape.model_fields.items():
        assert f"`{field.alias or name}`" in SECTION, name
