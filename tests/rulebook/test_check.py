"""Every mistake in a rule file is named with its place, in a sentence that needs no Python to read."""

from pathlib import Path

import pytest

from remediator.rulebook.load import check

RULE = """\
rules:
  - rule: fine
    match: ['{alertname="X"}']
"""
ACTING = RULE + "    actions: [rollback]\n    verifications: [rollout_complete]\n"

# What is added below a rule that is fine, and what is said about it.
IN_A_RULE = [
    (
        "mode: acting",
        "4:11: rules[0].mode: expected off, shadow, ask or act, found 'acting', did you mean 'act'?",
    ),
    (
        "actions: [rollback, restart]\n    verifications: [alert_cleared]",
        "4:25: rules[0].actions[1]: a second action of one rung would change what the first",
    ),
    ("modes: act", "4:5: rules[0].modes: unknown key, did you mean 'mode'?"),
    ("owner: no\n    description: 010", ""),
    ("owner: 5", "4:12: rules[0].owner: expected text, found the number 5 (quote it)"),
    ("owner: true", "4:12: rules[0].owner: expected text, found true (quote it)"),
    ("owner: 1.10", "4:12: rules[0].owner: expected text, found the number 1.1 (quote it)"),
    ("owner: [a]", "4:12: rules[0].owner: expected text, found a list"),
    ("runbook: javascript:alert(1)", "4:14: rules[0].runbook: 'javascript:alert(1)' is not a web address"),
    ("priority: 1001", "4:15: rules[0].priority: expected at most 1000, found the number 1001"),
    ("priority: '1'", "4:15: rules[0].priority: expected a whole number, found '1' (write 1 without quotes)"),
    (
        "priority: 007",
        "4:15: rules[0].priority: expected a whole number, found '007' (write 7 without quotes)",
    ),
    ("priority: 1.0", "4:15: rules[0].priority: expected a whole number, found the number 1.0"),
    ("priority: true", "4:15: rules[0].priority: expected a whole number, found true"),
    ("wait: 5", "4:11: rules[0].wait: a duration such as 30s, 5m or 1h30m, not 5 (add a unit)"),
    ("wait: 5 m", "4:11: rules[0].wait: not a duration: '5 m'"),
    ("wait: -5m", "4:11: rules[0].wait: not a duration: '-5m'"),
    ("wait: 1:30", "4:11: rules[0].wait: not a duration: '1:30'"),
    ("guards:", "4:12: rules[0].guards: expected a list, found nothing"),
    ("guards: limit", "4:13: rules[0].guards: expected a list, found 'limit' (start each entry with a dash)"),
    ("guards: [cooldwn]", "4:14: rules[0].guards[0].cooldwn: unknown step, did you mean 'cooldown'?"),
    (
        "guards: [cooldwn: {for: 1h}]",
        "4:14: rules[0].guards[0].cooldwn: unknown step, did you mean 'cooldown'?",
    ),
    (
        "actions: [undo]\n    verifications: [alert_cleared]",
        "4:15: rules[0].actions[0].undo: undo is no step of a rule: a person asks for it, with `remediator runs undo",
    ),
    ("guards: [rollback]", "4:14: rules[0].guards[0].rollback: unknown step, it belongs in actions"),
    (
        "guards: [promql]",
        "4:14: rules[0].guards[0].promql.query: required, but missing",
    ),
    (
        "guards: [5]",
        "4:14: rules[0].guards[0]: expected the name of a step, found the number 5",
    ),
    (
        "guards: [[]]",
        "4:14: rules[0].guards[0]: expected the name of a step, found a list",
    ),
    (
        "guards: [{}]",
        "4:14: rules[0].guards[0]: expected the name of a step, found a mapping",
    ),
    ("guards: [limit]", "4:14: rules[0].guards[0].limit.per: required, but missing"),
    ("guards: [promql: {query: up}]", "4:22: rules[0].guards[0].promql: give above or below, or both"),
    (
        "guards: [promql: {query: up, above: 2, below: 1}]",
        "4:22: rules[0].guards[0].promql: nothing is above 2 and below 1",
    ),
    (
        "guards: [promql: {query: 'up{a=\"${label.a}\"}', above: 0}]",
        "4:37: rules[0].guards[0].promql.query: unknown placeholder ${label.a}, known here: ${target.kind}",
    ),
    ("guards: [max_alert_age: 5]", "4:29: rules[0].guards[0].max_alert_age.age: a duration such as 30s, 5m"),
    ("guards: [max_alert_age: 0s]", "4:29: rules[0].guards[0].max_alert_age.age: expected more than 0"),
    ("guards: [max_alert_age]", "4:14: rules[0].guards[0].max_alert_age.age: required, but missing"),
    (
        "guards: [max_alert_age: {for: 5m}]",
        "4:30: rules[0].guards[0].max_alert_age.for: unknown key, known here: age",
    ),
    ("guards: [min_replicas: 0]", "4:28: rules[0].guards[0].min_replicas.replicas: expected at least 1"),
    (
        "guards: [min_replicas: '2']",
        "4:28: rules[0].guards[0].min_replicas.replicas: expected a whole number, found '2' (write 2 without",
    ),
    (
        "guards: [dependency_healthy: {http: 'ftp://a'}]",
        "4:41: rules[0].guards[0].dependency_healthy.http: 'ftp://a' cannot be asked: it has to start with",
    ),
    (
        "guards: [dependency_healthy: {http: 'http://me:secret@a'}]",
        "4:41: rules[0].guards[0].dependency_healthy.http: 'http://me:secret@a' cannot be asked: it holds",
    ),
    (
        "guards: [alerts_correlated: {match: ['{a=~\"(\"}']}]",
        "4:47: rules[0].guards[0].alerts_correlated.match[0]: not a regular expression RE2 accepts",
    ),
    (
        "guards: [alerts_correlated: {at_least: 0}]",
        "4:44: rules[0].guards[0].alerts_correlated.at_least: expected at least 1",
    ),
    ("guards: [cooldown: 1h]", "4:24: rules[0].guards[0].cooldown: expected a mapping, found '1h'"),
    (
        "guards:\n      - limit:\n        effects: 1",
        "5:9: rules[0].guards[0]: an entry names one step, found limit and effects (indent effects further to",
    ),
    (
        "guards: [{cooldown: {}, pause: {}}]",
        "4:14: rules[0].guards[0]: an entry names one step, found cooldown and pause (start each with a",
    ),
    (
        "guards: [cooldown: {fr: 1h}]",
        "4:25: rules[0].guards[0].cooldown.fr: unknown key, did you mean 'for'?",
    ),
    (
        "guards: [cooldown: {lasts: 1h}]",
        "4:25: rules[0].guards[0].cooldown.lasts: unknown key, known here: for",
    ),
    (
        "guards: [limit: {effects: 1, runs: 1, per: 1h, of: rule}]",
        "4:21: rules[0].guards[0].limit: give either effects or runs",
    ),
    (
        "guards: [limit: {effects: 0, per: 1h, of: rule}]",
        "4:31: rules[0].guards[0].limit.effects: expected at least 1, found the number 0",
    ),
    (
        "guards: [limit: {effects: 1, per: 1h, of: targets}]",
        "4:47: rules[0].guards[0].limit.of: expected target, rule, namespace or everything, found 'targets'",
    ),
    (
        "actions: []\n    rungs: [{actions: [], verifications: []}]",
        "5:23: rules[0].rungs[0].actions: needs at least 1 entry, has none",
    ),
    (
        "actions: [rollback]",
        "2:5: rules[0]: actions need verifications: how would anyone know that they helped?",
    ),
    ("verifications: [rollout_complete]", "2:5: rules[0]: verifications need actions to verify"),
    ("diagnostics: [logs: {tail: 0}]", "4:32: rules[0].diagnostics[0].logs.tail: expected at least 1"),
    (
        "diagnostics: [logs: {previous: yes}]",
        "4:36: rules[0].diagnostics[0].logs.previous: expected true or false, found 'yes'",
    ),
    (
        "diagnostics: [logs: {grep: '(?<=a)b'}]",
        "4:32: rules[0].diagnostics[0].logs.grep: not a regular expression RE2 accepts: '(?<=a)b'",
    ),
    (
        "diagnostics: [promql: {query: 'x{a=\"${label.job}\"}'}]",
        "4:41: rules[0].diagnostics[0].promql.query: unknown placeholder ${label.job}, known here: ${tar",
    ),
    (
        "diagnostics: [promql: {query: 'x{a=\"it''s ${target.nam}\"}'}]",
        "4:47: rules[0].diagnostics[0].promql.query: unknown placeholder ${target.nam}, did you mean ${tar",
    ),
    (
        "diagnostics: [promql: {query: 'x{a=\"{{ $labels.job }}\"}'}]",
        "4:41: rules[0].diagnostics[0].promql.query: Prometheus' templates are not filled in here, write",
    ),
    (
        "diagnostics: [promql: {query: 'x{a=`${labels.job}`}'}]",
        "4:41: rules[0].diagnostics[0].promql.query: ${labels.job} in backquotes, which know no escapes, write it",
    ),
    (
        "guards: [promql: {query: 'up > ${labels.least}', above: 0}]",
        "4:36: rules[0].guards[0].promql.query: ${labels.least} outside of quotes would be read as PromQL, write",
    ),
    ("diagnostics: [promql: {query: ' '}]", "4:35: rules[0].diagnostics[0].promql.query: the query is empty"),
    ("otherwise: page", "4:16: rules[0].otherwise: expected hand_over, found 'page'"),
    (
        "otherwise: 3",
        "4:16: rules[0].otherwise: expected a mapping, found the number 3, known here: hand_over",
    ),
    ("otherwise:", "4:15: rules[0].otherwise: expected a mapping, found nothing, known here: hand_over"),
    (
        "otherwise: {hand_over: restore_database}",
        "4:28: rules[0].otherwise.hand_over: expected a list, found 'restore_database' (start each",
    ),
    (
        "otherwise: {hand_over: [restore_databse]}",
        "4:29: rules[0].otherwise.hand_over[0]: there is no procedure 'restore_databse': did you mean 'restore_d",
    ),
    (
        "otherwise: {handover: [restore_database]}",
        "4:17: rules[0].otherwise.handover: unknown key, did you mean 'hand_over'?",
    ),
    ("mode: act\n    mode: off", "5:5: rules[0].mode: the same key a second time, first in line 4"),
    ("owner: *team", "4:12: rules[0].owner: the alias *team: write out what it stands for"),
]

IN_VERIFICATIONS = [
    (
        "rollout_complete: {for: 11m}",
        "for (11m) is longer than within (10m): it could never settle",
        "for: 11m",
    ),
    ("rollout_complete: {for: 5m, within: 4m}", "for (5m) is longer than within (4m)", "for: 5m"),
    ("alert_cleared: {within: 30s}", "for (1m) is longer than within (30s)", "within: 30s"),
    ("promql: {query: a, below: 1, above: 1}", "give either below or above", ""),
    ("promql: {query: a}", "give either below or above", ""),
    ("promql: {query: a, below: '1'}", "expected a number, found '1' (write 1 without quotes)", "below"),
    ("promql: {query: a, below: .nan}", "not a finite number", "below"),
    ("promql: {query: a, below: 1, traffic: {qery: b, above: 1}}", "unknown key, did you mean 'query'?", ""),
    ("promql: {query: a, below: 1, traffic: {query: '${x}', above: 1}}", "unknown placeholder ${x}", ""),
    ("promql: {query: a, below: 1, hold_for: 1m}", "unknown key", ""),
]

WHOLE_FILES = [
    ("", "1:1: an empty file, delete it, or give it rules"),
    ("# nothing\n", "1:1: an empty file, delete it, or give it rules"),
    ("defaults: {mode: shadow}\n", "1:1: neither rules nor targets in this file"),
    ("- rules\n", "1:1: expected a mapping, found a list"),
    ("rules\n", "1:1: expected a mapping, found 'rules'"),
    ("rules: []\nrule: x\n", "2:1: rule: unknown key, did you mean 'rules'?"),
    ("rules: {a: 1}\n", "1:8: rules: expected a list, found a mapping (start each entry with a dash)"),
    ("rules: [5]\n", "1:9: rules[0]: expected a mapping, found the number 5"),
    ("rules: [{}]\n", "1:9: rules[0].rule: required, but missing"),
    ("defaults: {prority: 5}\n" + RULE, "1:12: defaults.prority: unknown key, did you mean 'priority'?"),
    ("groups: []\n", "1:1: groups: unknown key, known here: defaults, targets, rules"),
    ("rules: [{rule: A_b, match: ['{a=\"b\"}']}]\n", "1:16: rules[0].rule: 'A_b' is not a rule's name"),
    ("rules: [{rule: a, match: []}]\n", "1:26: rules[0].match: needs at least 1 entry, has none"),
    (
        "rules: [{rule: a, match: '{a=\"b\"}'}]\n",
        "1:26: rules[0].match: expected a list, found '{a=\"b\"}' (start each entry with a dash)",
    ),
    (
        'rules:\n  - rule: a\n    match:\n      - {alertname="X", b=~"c"}\n',
        '4:9: rules[0].match[0]: expected text, found a mapping (quote it: \'{alertname="X", b=~"c"}\')',
    ),
    (
        "rules: [{rule: a, match: ['{}']}]\n",
        "1:28: rules[0].match[0]: matches every alert: name at least one label",
    ),
    (
        'rules: [{rule: a, match: [\'{a="b" c="d"}\']}]\n',
        "1:35: rules[0].match[0]: expected a comma or }, found c",
    ),
    (
        'rules: [{rule: a, match: ["{a=\\"b\\" c=\\"d\\"}"]}]\n',
        "1:37: rules[0].match[0]: expected a comma or }, found c",
    ),
    (
        "targets: [{match: ['{a=\"b\"}'], target: cronjob/shop/db}]\n",
        "1:40: targets[0].target: kind 'cronjob' is not one this version can change",
    ),
    (
        "targets: [{match: ['{a=\"b\"}'], target: deployment/shop}]\n",
        "1:40: targets[0].target: not kind/namespace/name: 'deployment/shop'",
    ),
    (
        "targets: [{match: ['{a=\"b\"}'], target: deployment/shop/a, depends_on: [StatefulSet/shop/db]}]\n",
        "1:72: targets[0].depends_on[0]: 'StatefulSet' is not a kind in lower case",
    ),
    (
        "targets: [{match: ['{a=\"b\"}'], target: deployment/shop/a, depends_on: [service/sh op/db]}]\n",
        "1:72: targets[0].depends_on[0]: 'sh op' is not a namespace's name",
    ),
    (
        "targets:\n- {match: ['{a=b}', '{c=d}'], target: x}\n- {match: ['{\"c\"=\"d\",}'], target: y}\n",
        "3:12: targets[1].match[0]: the same matchers already mean x at ",
    ),
]

WORDS_OF_PROGRAMMERS = [
    "Input should",
    "union",
    "tag",
    "pydantic",
    "dictionary",
    "tuple",
    "validat",
    "None",
    "Value error",
]


def said(tmp_path: Path, text: str) -> list[str]:
    """The problems of a file with this text, without the file's name."""
    path = tmp_path / "x.yaml"
    path.write_text(text)
    return [str(each).removeprefix(f"{path}:") for each in check([path])]


def is_said_plainly(problems: list[str], expected: str) -> None:
    assert any(each.startswith(expected) for each in problems), problems
    for each in problems:
        assert not any(word in each for word in WORDS_OF_PROGRAMMERS), each


@pytest.mark.parametrize(("lines", "expected"), IN_A_RULE)
def test_a_mistake_in_a_rule_is_named(tmp_path: Path, lines: str, expected: str) -> None:
    problems = said(tmp_path, RULE + f"    {lines}\n")
    if expected:
        is_said_plainly(problems, expected)
    else:
        assert problems == []


@pytest.mark.parametrize(("step", "sentence", "at"), IN_VERIFICATIONS)
def test_a_mistake_in_a_verification_is_named(tmp_path: Path, step: str, sentence: str, at: str) -> None:
    text = RULE + "    actions: [rollback]\n    verifications:\n      - " + step + "\n"
    problems = said(tmp_path, text)
    assert any(sentence in each for each in problems), problems
    if at:
        value = at.partition(": ")[2] or step.partition(f"{at}: ")[2].rstrip("}")
        column = text.splitlines()[-1].index(value) + 1
        assert f"6:{column}: " in "\n".join(problems)


@pytest.mark.parametrize(("text", "expected"), WHOLE_FILES)
def test_a_mistake_in_a_file_is_named(tmp_path: Path, text: str, expected: str) -> None:
    is_said_plainly(said(tmp_path, text), expected)


def test_a_bad_pattern_is_named_once(tmp_path: Path) -> None:
    assert len(said(tmp_path, RULE + "    diagnostics: [logs: {grep: '('}]\n")) == 1


def test_what_yaml_refused_is_not_refused_again_for_its_shape(tmp_path: Path) -> None:
    assert (
        len(said(tmp_path, RULE + "    owner: &team ops\n    description: *team\n    priority: .inf\n")) == 3
    )


def test_a_broken_line_hides_no_other_mistake(tmp_path: Path) -> None:
    problems = said(
        tmp_path, "rules:\n  - rule: a\n    match: ['{']\n    actoins: []\n  - match: ['{}']\n  - 5\n"
    )
    assert [each.split(":")[0] for each in problems] == ["3", "4", "5", "5", "6"]


def test_two_rules_of_one_name_are_both_named(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(RULE)
    (problem,) = check([tmp_path])
    assert (problem.file, problem.line, problem.column) == (str(tmp_path / "b.yaml"), 2, 11)
    assert problem.message == f"'fine' is already the name of the rule at {tmp_path / 'a.yaml'}:2"


def test_problems_come_in_the_order_of_files_lines_and_columns(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yaml"):
        (tmp_path / name).write_text("rules: [{wait: 5, owner: 5}]\ngroups: []\n")
    places = [(each.file, each.line, each.column) for each in check([tmp_path])]
    assert places == sorted(places)
    assert len(places) == 10


def test_a_file_that_acts_and_is_fine_has_no_problems(tmp_path: Path) -> None:
    assert said(tmp_path, ACTING) == []
