"""The reference is what the classes say; what the other page shows as YAML is right."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from remediator.rulebook.described import about, fields_described
from remediator.rulebook.load import check
from remediator.rulebook.reference import reference
from remediator.rulebook.rule import Defaults, Rule, RuleFile, RuleTarget, Rung
from remediator.rulebook.shape import STEPS
from remediator.verifications.promql import Traffic

DOCS = Path(__file__).parents[2] / "docs"
STEP_CLASSES = [step for steps in STEPS.values() for step in steps.values()]
SHAPES: list[type[BaseModel]] = [RuleFile, Rule, RuleTarget, Defaults, Rung, Traffic, *STEP_CLASSES]


def section(title: str) -> str:
    return reference().partition(f"\n{title}\n")[2]


def test_the_shipped_one_is_what_the_command_prints() -> None:
    shipped = (DOCS / "rules-reference.md").read_text()
    assert shipped == reference(), "write it anew: remediator rules reference > docs/rules-reference.md"


@pytest.mark.parametrize("kind", STEPS)
def test_every_step_has_a_section_below_its_list_with_a_row_for_each_field(kind: str) -> None:
    mine = section(f"## {kind.capitalize()}").partition("\n## ")[0]
    for key, step in STEPS[kind].items():
        told = re.split(r"\n##", mine.partition(f"### `{key}`")[2])[0]
        assert about(step) in told, key
        for name, field in step.model_fields.items():
            assert f"| `{field.alias or name}` |" in told, f"{key}: {name}"


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.__module__}.{shape.__name__}")
def test_every_key_says_what_it_is_for(shape: type[BaseModel]) -> None:
    assert about(shape)
    assert sorted(fields_described(shape)) == sorted(shape.model_fields)


@pytest.mark.parametrize(
    "row",
    [
        "| `priority` | whole number, 0 to 1000 | `100` |",
        "| `per` | duration, more than 0s and at most 90d | required |",
        "| `mode` | `off`, `shadow`, `ask` or `act` | `shadow` |",
        "| `match` | list of lines, at least 1 and at most 100 | required |",
        "| `strict_config` | `true` or `false` | `false` |",
        "| `traffic` | mapping of `query` and `above` |  |",
    ],
)
def test_values_defaults_and_caps_are_told_as_people_say_them(row: str) -> None:
    assert row in reference()


def test_a_guard_says_when_it_is_asked() -> None:
    assert "*Always asked about rollback, of runs that an alert began.*" in section("### `caused_by_rollout`")
    assert (
        section("### `cooldown`").partition("\n| key")[0].strip().endswith("*Asked where a rule names it.*")
    )


def test_what_is_shown_as_yaml_is_a_rule_file_without_mistakes(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (DOCS / "rules.md").read_text(), re.DOTALL)
    assert blocks
    for number, block in enumerate(blocks):
        file = tmp_path / f"{number}.yaml"
        file.write_text(block)
        assert check([file]) == ()
