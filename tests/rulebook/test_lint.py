"""What is in order and yet hardly meant is warned of, at its place; what is meant is not."""

from datetime import date
from pathlib import Path

import pytest

from remediator.rulebook.lint import lint
from remediator.rulebook.load import read

TODAY = date(2026, 11, 27)
RULE = """\
rules:
  - rule: first
    match: ['{alertname="X"}']
"""
ACTING = (
    RULE + "    mode: act\n    actions: [rollback]\n    verifications: [rollout_complete: {within: 10m}]\n"
)
SECOND = '  - rule: second\n    match: [\'{alertname="X", job="a"}\']\n    priority: 200\n'
ACTS = "    mode: act\n    actions: [rollback]\n    verifications: [rollout_complete]\n"
TAKEN = "never gets an alert: what it matches is taken by"
OVER = "the cooldown may be over while the change is verified (10m)"
LOWER = "give it a lower number as priority"

WARNED = [
    (
        RULE.replace('alertname="X"', 'alertname=~".+"'),
        "3:13: warning: rules[0].match[0]: matches every alert with alertname, whatever it says there",
    ),
    (
        RULE.replace('alertname="X"', 'alertname=~".*", job!=""'),
        "3:13: warning: rules[0].match[0]: matches every alert with alertname and job, whatever it says there",
    ),
    (
        RULE.replace("]", ", '{ alertname=X }']"),
        "3:32: warning: rules[0].match[1]: says the same as match[0], take it out",
    ),
    (
        RULE + "    guards: [cooldown]\n",
        "4:13: warning: rules[0].guards: the rule changes nothing that they could guard, give it actions",
    ),
    (
        ACTING + "    guards: [cooldown: {for: 5m}]\n",
        f"7:14: warning: rules[0].guards[0]: {OVER}, write 10m or more",
    ),
    (
        RULE + "    review_by: 2026-11-26\n",
        "4:16: warning: rules[0].review_by: it was to be looked at again by 2026-11-26, do so, then move the date",
    ),
    (
        "defaults: {review_by: 2026-11-26}\n" + RULE,
        "3:11: warning: rules[0].rule: it was to be looked at again by 2026-11-26, do so, then move the date",
    ),
    (
        RULE + "    owner: no\n",
        "4:12: warning: rules[0].owner: no is text here, but not to every program that reads YAML, quote it",
    ),
    (
        RULE + "    description: 010\n",
        "4:18: warning: rules[0].description: 010 is text here, but not to every program that reads YAML, quote it",
    ),
    (
        ACTING + SECOND + ACTS,
        f"8:5: warning: rules[1].match: {TAKEN} first ({{file}}:2) before, {LOWER}",
    ),
    (
        ACTING.replace('"X"', '"X|Y"').replace("alertname=", "alertname=~") + SECOND + ACTS,
        f"8:5: warning: rules[1].match: {TAKEN} first ({{file}}:2) before, {LOWER}",
    ),
    (
        ACTING.replace('"X"', '"X.*"').replace("alertname=", "alertname=~") + SECOND + ACTS,
        f"8:5: warning: rules[1].match: {TAKEN} first ({{file}}:2) before, {LOWER}",
    ),
]

MEANT = {
    "a rule": RULE,
    "one that acts": ACTING,
    "a cooldown as long as verification": ACTING + "    guards: [cooldown: {for: 10m}]\n",
    "a review to come": RULE + "    review_by: 2026-11-27\n",
    "its own date instead of the file's": "defaults: {review_by: 2026-11-26}\n"
    + RULE
    + "    review_by: 2027-01-01\n",
    "mode off": RULE + "    mode: off\n",
    "a quoted no": RULE + "    owner: 'no'\n",
    "an empty label": RULE.replace('X"', 'X", job=""'),
    "a rule in shadow behind another": ACTING + SECOND + ACTS.replace("act\n", "shadow\n"),
    "a rule behind one in shadow": ACTING.replace("mode: act", "mode: shadow") + SECOND + ACTS,
    "a rule behind one that is off": ACTING.replace("mode: act", "mode: off") + SECOND + ACTS,
    "a rule that goes first": ACTING + SECOND.replace("200", "50") + ACTS,
    "a line of its own": ACTING + SECOND.replace("]", ", '{alertname=\"Y\"}']") + ACTS,
    "one value more": ACTING + SECOND.replace('alertname="X"', 'alertname=~"X|Y"') + ACTS,
    "a pattern that may be wider": ACTING + SECOND.replace('alertname="X"', 'alertname=~"X.*"') + ACTS,
}


def said(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "rules.yaml"
    file.write_text(text)
    files, mistakes = read([file])
    assert mistakes == ()
    return [str(each).replace(str(file), "{file}") for each in lint(files, TODAY)]


@pytest.mark.parametrize(("text", "expected"), WARNED)
def test_what_is_hardly_meant_is_warned_of(tmp_path: Path, text: str, expected: str) -> None:
    assert said(tmp_path, text) == ["{file}:" + expected]


@pytest.mark.parametrize("text", MEANT.values(), ids=MEANT)
def test_what_is_meant_is_not_warned_of(tmp_path: Path, text: str) -> None:
    assert said(tmp_path, text) == []


def test_a_rule_may_be_taken_by_several_and_across_files(tmp_path: Path) -> None:
    names = {"a.yaml": ("X", 1), "b.yaml": ("Y", 2), "c.yaml": ("X|Y", 3)}
    for name, (alert, priority) in names.items():
        rule = ACTING.replace("first", name[0]).replace('="X"', f'=~"{alert}"')
        (tmp_path / name).write_text(rule + f"    priority: {priority}\n")
    files, _ = read([tmp_path])
    assert lint(files, TODAY) == (), (
        "one line has to be taken by one rule: two that share its values are not told"
    )
    split = (
        (tmp_path / "c.yaml")
        .read_text()
        .replace("['{alertname=~\"X|Y\"}']", "['{alertname=\"X\"}', '{alertname=\"Y\"}']")
    )
    (tmp_path / "c.yaml").write_text(split)
    files, _ = read([tmp_path])
    (warning,) = lint(files, TODAY)
    assert f"a ({tmp_path / 'a.yaml'}:2), b ({tmp_path / 'b.yaml'}:2)" in warning.message


@pytest.mark.parametrize("mistaken", ["rules: [{rule: 5}]\n", "rules: [{rule: a, match: ['{a=~\"(\"}']}]\n"])
def test_files_with_mistakes_hide_no_warnings_of_others(tmp_path: Path, mistaken: str) -> None:
    """Whether their shape is wrong, or a line of matchers cannot be read."""
    (tmp_path / "a.yaml").write_text(mistaken)
    (tmp_path / "b.yaml").write_text(RULE + "    guards: [cooldown]\n")
    files, mistakes = read([tmp_path])
    assert mistakes
    assert [each.file for each in lint(files, TODAY)] == [str(tmp_path / "b.yaml")]
