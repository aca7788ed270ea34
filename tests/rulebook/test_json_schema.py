"""The JSON Schema takes what the loader takes, and says no to what an editor can see is wrong."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from remediator.rulebook.files import find_rule_files, find_test_files
from remediator.rulebook.json_schema import json_schema, schema_of
from remediator.rulebook.load import check
from remediator.rulebook.positions import read_yaml
from remediator.rulebook.shape import STEPS
from remediator.trial.case import CaseFile
from tests.rulebook.test_check import IN_A_RULE, RULE

RULES = Path(__file__).parents[2] / "rules"
VALIDATOR = jsonschema.Draft7Validator(json_schema())


def as_an_editor_reads(text: str) -> Any:
    """By YAML 1.2, as yaml-language-server does."""
    document = read_yaml(text.encode())
    assert document.readable
    return json.loads(json.dumps(document.content))


def complains(text: str) -> bool:
    return not VALIDATOR.is_valid(as_an_editor_reads(text))


def test_the_schema_is_itself_in_order() -> None:
    jsonschema.Draft7Validator.check_schema(json_schema())


def test_the_shipped_one_is_what_the_command_prints() -> None:
    shipped = json.loads((RULES / "schema.json").read_text())
    assert shipped == json_schema(), "write it anew: remediator rules schema > rules/schema.json"


def test_the_shipped_one_for_tests_is_what_the_command_prints() -> None:
    shipped = json.loads((RULES / "tests.schema.json").read_text())
    now = schema_of(CaseFile, "remediator file of tests")
    assert shipped == now, "write it anew: remediator rules schema --tests > rules/tests.schema.json"


@pytest.mark.parametrize("file", find_test_files([RULES])[0], ids=lambda path: path.name)
def test_every_shipped_file_of_tests_names_its_schema_and_is_valid_by_it(file: Path) -> None:
    text = file.read_text()
    assert text.splitlines()[0] == "# yaml-language-server: $schema=tests.schema.json"
    validator = jsonschema.Draft7Validator(schema_of(CaseFile, "remediator file of tests"))
    content = as_an_editor_reads(text)
    assert [each.message for each in validator.iter_errors(content)] == []
    for right, wrong in (("revisions", "revision"), ("at: -3d", "at: yesterday"), ("expect:", "expects:")):
        assert not validator.is_valid(as_an_editor_reads(text.replace(right, wrong))), wrong


@pytest.mark.parametrize("file", find_rule_files([RULES])[0], ids=lambda path: path.name)
def test_every_shipped_file_names_the_schema_and_is_valid_by_it(file: Path) -> None:
    text = file.read_text()
    first = text.splitlines()[0]
    assert first == "# yaml-language-server: $schema=schema.json"
    assert not complains(text)


def test_every_step_may_be_written_as_the_reference_does() -> None:
    reference = (RULES.parent / "docs" / "rules.md").read_text()
    for block in reference.split("```yaml\n")[1:]:
        assert not complains(block.partition("```")[0])
    for kind in ("guards", "diagnostics"):
        for name, step in STEPS[kind].items():
            required = [each for each, field in step.model_fields.items() if field.is_required()]
            alone = RULE + yaml.safe_dump({kind: [name]}, default_flow_style=True).strip("{}\n").join(
                ["    ", "\n"]
            )
            assert complains(alone) == bool(required), name


@pytest.mark.parametrize(
    "wrong",
    [
        "mode: acting",
        "modes: act",
        "owner: 5",
        "priority: 1001",
        "wait: 5",
        "wait: 5 m",
        "wait: ''",
        "guards: [cooldwn]",
        "guards: [rollback]",
        "guards: [limit]",
        "guards: [{cooldown: {for: 1h}, storm: {}}]",
        "guards: [cooldown: {fr: 1h}]",
        "runbook: javascript:alert(1)",
        "review_by: tomorrow",
    ],
)
def test_an_editor_underlines_it(wrong: str) -> None:
    assert complains(f"{RULE}    {wrong}\n")


def test_an_editor_underlines_nothing_that_is_fine(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    for written, _ in IN_A_RULE:
        text = f"{RULE}    {written}\n"
        file.write_text(text)
        if check([file]) == ():
            assert not complains(text), text
