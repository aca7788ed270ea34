"""The rules reference names everything a rule file may say, and what it shows as YAML is right."""

import re
from pathlib import Path

import pytest

from remediator.rulebook.load import check
from remediator.rulebook.rule import Defaults, Rule, RuleFile, RuleTarget
from remediator.rulebook.shape import STEPS

REFERENCE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text()


def section(title: str) -> str:
    return REFERENCE.partition(f"\n{title}\n")[2]


@pytest.mark.parametrize("kind", STEPS)
def test_every_step_stands_in_the_table_of_its_list_with_all_its_fields(kind: str) -> None:
    table = section(f"| {kind} | |").partition("\n\n")[0]
    for key, step in STEPS[kind].items():
        row = next((line for line in table.splitlines() if f"`{key}`" in line), None)
        assert row is not None, f"{key} is not in the table of {kind}"
        for name, field in step.model_fields.items():
            written = field.alias or name
            shared = kind == "verifications" and written in {"for", "within"}
            assert shared or re.search(rf"`{written}[`:]", row), f"{key}: {written} is not explained"


@pytest.mark.parametrize("shape", [RuleFile, Rule, RuleTarget, Defaults])
def test_every_key_of_a_file_is_explained(shape: type[Rule]) -> None:
    for name in shape.model_fields:
        assert re.search(rf"`{name}`|\n {{2,4}}(- )?{name}: ", REFERENCE), name


def test_what_is_shown_as_yaml_is_a_rule_file_without_mistakes(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", REFERENCE, re.DOTALL)
    assert blocks
    for number, block in enumerate(blocks):
        file = tmp_path / f"{number}.yaml"
        file.write_text(block)
        assert check([file]) == ()
