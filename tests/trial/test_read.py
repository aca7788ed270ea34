"""Every mistake of a file of tests is named, with its place, just as of rule files."""

from pathlib import Path

import pytest

from remediator.trial.read import read_suites

RULE = """\
rules:
  - rule: bad-release
    match: ['{alertname="HighErrorRate"}']
    guards: [{cooldown: {for: 1h}}]
    actions: [rollback]
    verifications: [rollout_complete]
"""
FINE = """\
rule_files: [rules.yaml]
tests:
  - name: one
    workloads:
      - workload: deployment/shop/api
        revisions:
          - {image: api:v1, at: -1d}
          - {image: api:v2, at: -4m}
    alerts:
      - labels: {alertname: HighErrorRate}
    expect:
      - {at: 0s, acts: rollback to api:v1}
"""


def said(directory: Path, text: str, rule: str = RULE) -> list[str]:
    (directory / "rules.yaml").write_text(rule)
    file = directory / "a.test.yaml"
    file.write_text(text)
    suites, problems = read_suites([directory])
    assert bool(suites) != bool(problems)
    return [str(each).removeprefix(f"{file}:") for each in problems]


def test_a_file_without_mistakes_is_read_with_its_rules(tmp_path: Path) -> None:
    assert said(tmp_path, FINE) == []
    ((suite,), _) = read_suites([tmp_path / "a.test.yaml"])
    assert [each.name for each in suite.cases] == ["one"]
    assert [each.rule for each in suite.rulebook.rules] == ["bad-release"]


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        (
            "at: -4m",
            "at: -4",
            "8:33: tests[0].workloads[0].revisions[1].at: a time such as 0s, 5m or -3d, not -4",
        ),
        (
            "at: -4m",
            "at: 4",
            "8:33: tests[0].workloads[0].revisions[1].at: a time such as 0s, 5m or -3d, not 4",
        ),
        ("at: -4m", "at: -2d", "5:9: tests[0].workloads[0]: revisions stand in the order of their times"),
        ("at: -4m}", "at: -4m, helth: fine}", "revisions[1].helth: unknown key, did you mean 'health'?"),
        (
            "at: -4m}",
            "at: -4m, health: dead}",
            "expected fine, crashing, out_of_memory, unready or unpullable, found 'dead'",
        ),
        ("api:v2", "api:v1", None),
        ("deployment/shop/api", "deploy/shop/api", "5:19: tests[0].workloads[0].workload: kind 'deploy'"),
        (
            "acts: rollback to api:v1",
            "acts: rollback to api:v3",
            "no image of this test is called 'api:v3', did you mean 'api:v2'?",
        ),
        (
            "acts: rollback to api:v1",
            "acts: roll back",
            "expected restart, rollback to IMAGE, scaling to NUMBER or eviction",
        ),
        (
            "acts: rollback to api:v1",
            "holds: cooldwn",
            "12:25: tests[0].expect[0].holds: no guard or action is called",
        ),
        ("acts: rollback to api:v1", "holds: cooldwn", "did you mean 'cooldown'?"),
        ("acts: rollback to api:v1", "ends: RESOLVD", "did you mean 'RESOLVED'?"),
        ("acts: rollback to api:v1", "nothing: no_rules", "did you mean 'no_rule'?"),
        ("acts: rollback to api:v1", "acts: restart, ends: RESOLVED", "here 2 are given"),
        ("acts: rollback to api:v1", "acts: restart, rule: bad-releas", "did you mean 'bad-release'?"),
        ("at: 0s, acts", "at: -1m, acts", "12:14: tests[0].expect[0].at: what is before the test begins"),
        (
            "{alertname: HighErrorRate}",
            "{alertname: HighErrorRate}\n        values: 1xx",
            "'1xx' is no piece",
        ),
        (
            "{alertname: HighErrorRate}",
            "{alertname: HighErrorRate}\n        values: 1x3\n        until: 3m",
            "10:9: tests[0].alerts[0]: give either values, or from and until",
        ),
        ("rule_files: [rules.yaml]", "rule_files: [rule.yaml]", "rule.yaml: cannot be read"),
        ("rule_files: [rules.yaml]\n", "", "rule_files: required, but missing"),
        ("tests:", "settings: {budgets: {evrywhere: 3}}\ntests:", "did you mean 'everywhere'?"),
        ("    alerts:\n", "    alrts:\n", "did you mean 'alerts'?"),
        ("name: one", "name: yes", None),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, right: str, wrong: str, sentence: str | None
) -> None:
    assert right in FINE
    problems = said(tmp_path, FINE.replace(right, wrong, 1))
    if sentence is None:
        assert problems == []
    else:
        assert any(sentence in each for each in problems), problems


def test_one_image_cannot_behave_in_two_ways(tmp_path: Path) -> None:
    (problem,) = said(
        tmp_path, FINE.replace("{image: api:v2, at: -4m}", "{image: api:v1, at: -4m, health: crashing}")
    )
    assert "api:v1 has another health before" in problem
    assert problem.startswith("8:21: ")


def test_two_tests_of_one_name_cannot_be_told_apart(tmp_path: Path) -> None:
    _, _, test = FINE.partition("tests:\n")
    assert said(tmp_path, FINE + test) == [
        "13:11: tests[1].name: 'one' is already the name of a test of this file"
    ]


def test_mistakes_of_the_rules_are_said_as_well(tmp_path: Path) -> None:
    (problem,) = said(tmp_path, FINE, RULE.replace("cooldown", "cooldwn"))
    assert problem.endswith("unknown step, did you mean 'cooldown'?")


def test_a_file_of_rules_is_no_file_of_tests(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(RULE)
    _, problems = read_suites([tmp_path / "rules.yaml"])
    assert [each.message for each in problems] == ["not named like a file of tests (rules.test.yaml)"]
    _, problems = read_suites([tmp_path])
    assert [each.message for each in problems] == ["no files of tests (*.test.yaml) in this directory"]
