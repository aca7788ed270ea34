"""What a test of rules says, and that what came of it is compared with it: on the real engine."""

import asyncio
from pathlib import Path

import pytest

from remediator.trial.compare import differences
from remediator.trial.coverage import Coverage
from remediator.trial.play import CannotPlay, play
from remediator.trial.read import read_suites
from remediator.trial.seen import Seen
from remediator.trial.world import NotTaken
from tests.support.clock import DrivenClock
from tests.support.databases import Databases
from tests.support.story import told

RULE = """\
rules:
  - rule: bad-release
    match: ['{alertname="HighErrorRate"}']
    guards: [{cooldown: {for: 1h}}, {limit: {effects: 1, per: 6h, of: target}}]
    actions: [rollback]
    verifications: [{rollout_complete: {within: 5m}}]
"""
HEAD = "rule_files: [rules.yaml]\n"
API = """\
tests:
  - name: one
    workloads:
      - workload: deployment/shop/api
        annotations: {remediator.io/rollback: compatible}
        revisions:
          - {image: 'api:v1', at: -1d}
          - {image: 'api:v2', at: -4m}
    alerts:
      - labels: {alertname: HighErrorRate, namespace: shop, deployment: api}
"""
ROLLED_BACK = """\
      - {at: 0s, acts: 'rollback to api:v1'}
      - {at: 1m, ends: RESOLVED}
"""


class Trial:
    """Plays a test of a rule that is written beside it."""

    def __init__(self, directory: Path, databases: Databases) -> None:
        self._directory = directory
        self._databases = databases

    def play(
        self, facts: str, expect: str, *, rule: str = RULE, settings: str = ""
    ) -> tuple[Seen, list[str]]:
        """What was seen, and the diff."""
        (self._directory / "rules.yaml").write_text(rule)
        (self._directory / "a.test.yaml").write_text(f"{HEAD}{settings}{facts}    expect:\n{expect}")
        ((suite,), problems) = read_suites([self._directory / "a.test.yaml"])
        assert problems == []
        with self._databases.clone("driven") as dsn:
            (case,) = suite.cases
            seen = asyncio.run(play(case, suite.rulebook, suite.file.settings, self._directory, dsn))
        return seen, [str(each) for each in differences(case, seen)]

    def diff(self, facts: str, expect: str, *, rule: str = RULE, settings: str = "") -> list[str]:
        return self.play(facts, expect, rule=rule, settings=settings)[1]


@pytest.fixture
def trial(tmp_path: Path, databases: Databases) -> Trial:
    return Trial(tmp_path, databases)


def test_what_comes_as_expected_leaves_no_difference(trial: Trial) -> None:
    assert trial.diff(API, ROLLED_BACK) == []


def test_what_comes_at_another_time_or_otherwise_is_shown_beside_what_was_expected(trial: Trial) -> None:
    found = trial.diff(
        API,
        """\
      - {at: 0s, holds: cooldown}
      - {at: 1m, ends: ESCALATED}
      - {at: 2m, acts: restart}
""",
    )
    assert found[0] == "-       0s  holds: cooldown"
    assert (
        "+       0s  acts: rollback to api:v1 (deployment/shop/api, bad-release): api:v2 -> api:v1" in found
    )
    assert "-       1m  ends: ESCALATED" in found
    assert any(
        each.startswith("+       1m  ends: RESOLVED (deployment/shop/api, bad-release): verified")
        for each in found
    )
    assert found[-2:] == ["-       2m  acts: restart", "+       2m  nothing is decided at this time"]


def test_a_change_that_nobody_named_fails_the_test(trial: Trial) -> None:
    assert trial.diff(API, "      - {at: 1m, ends: RESOLVED}\n") == [
        "+       0s  acts: rollback to api:v1 (deployment/shop/api, bad-release): api:v2 -> api:v1",
        "        1m  ends: RESOLVED",
    ]


def test_an_expectation_is_met_only_by_the_target_the_rule_and_the_words_it_names(trial: Trial) -> None:
    facts = API.replace(
        "    alerts:\n",
        "      - workload: deployment/shop/web\n        revisions: [{image: web, at: -1d}]\n    alerts:\n",
    )
    for wrong in ("target: deployment/shop/web", "because: nobody knows"):
        found = trial.diff(facts, ROLLED_BACK.replace("ends: RESOLVED", f"ends: RESOLVED, {wrong}"))
        assert [each[0] for each in found] == [" ", "-", "+"], found
    right = "target: deployment/shop/api, rule: bad-release, because: 'verified: rollout_complete'"
    assert trial.diff(facts, ROLLED_BACK.replace("ends: RESOLVED", f"ends: RESOLVED, {right}")) == []


def test_a_longer_cooldown_is_seen(trial: Trial) -> None:
    """The same facts, the same alert: only the number in the rule is another."""
    facts = API.replace(
        "          - {image: 'api:v2', at: -4m}\n",
        "          - {image: 'api:v2', at: -4m}\n          - {image: 'api:v3', at: 40m}\n",
    )
    facts += "        values: 1x2 0x40 1x30\n"
    rule = RULE.replace(", {limit: {effects: 1, per: 6h, of: target}}", "")
    expect = f"{ROLLED_BACK}      - {{at: 44m, holds: cooldown}}\n"
    assert trial.diff(facts, expect, rule=rule) == []
    found = trial.diff(facts, expect, rule=rule.replace("1h", "30m"))
    assert "-      44m  holds: cooldown" in found
    assert any(each.startswith("+      44m  acts: rollback to api:v1") for each in found)


def test_facts_over_time_reach_the_engine(trial: Trial) -> None:
    """A write, a mark on the namespace, a node, a silence and an owner: each stops the same rollback in its own way."""
    for more, said in (
        (
            "    writes: [{at: -1m, to: deployment/shop/api, by: kubectl-edit, patch: {spec: {minReadySeconds: 5}}}]\n",
            "holds: human_active",
        ),
        ("    namespaces: [{namespace: shop, annotations: {remediator.io/paused: lunch}}]\n", "holds: pause"),
        (
            "    namespaces: [{namespace: shop, labels: {remediator.io/enabled: 'no'}}]\n",
            "ends: BLOCKED (deployment/shop/api, bad-release): opted_in: namespace shop has not opted in",
        ),
        ("    silences: [{labels: {alertname: HighErrorRate}, from: 0s}]\n", "nothing is decided"),
    ):
        found = trial.diff(API + more, "      - {at: 1m, ends: RESOLVED}\n")
        assert any(said in each for each in found), (said, found)
        assert not any("acts" in each for each in found), found


def test_settings_decide_as_in_the_daemon(trial: Trial) -> None:
    expect = "      - {at: 0s, ends: SHADOWED}\n"
    assert trial.diff(API, expect, settings="settings: {ceilings: {shop: shadow}}\n") == []


def test_an_answer_to_a_query_that_nobody_asks_is_a_slip(trial: Trial) -> None:
    found = trial.diff(API + "    metrics: [{query: up, value: 1}]\n", ROLLED_BACK)
    assert "-       0s  asks Prometheus: up" in found


def test_what_the_cluster_does_not_take_is_said(trial: Trial) -> None:
    with pytest.raises(CannotPlay, match="does not take a fact"):
        trial.diff(API + "    objects: [{apiVersion: v1, kind: Wheel, metadata: {name: a}}]\n", ROLLED_BACK)


async def test_a_message_that_the_daemon_does_not_take_is_named_with_its_answer(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    small = {"intake": {"max_body_bytes": 1024, "token_file": tmp_path / "token"}}
    async with told(tmp_path, database_url, clock, RULE, small) as story:
        with pytest.raises(NotTaken, match=r"^413 .*larger than 1024 bytes"):
            await story.fire(note="x" * 1024)


def test_what_an_action_asks_is_asked_by_that_action(trial: Trial) -> None:
    asks = API.replace("        annotations: {remediator.io/rollback: compatible}\n", "")
    assert trial.diff(asks, "      - {at: 0s, asks: rollback}\n") == []
    assert any("asks: restart" in each for each in trial.diff(asks, "      - {at: 0s, asks: restart}\n"))


def test_coverage_is_what_guards_answered_and_rungs_changed(trial: Trial) -> None:
    seen, found = trial.play(API, ROLLED_BACK)
    assert found == []
    ((suite,), _) = read_suites([trial._directory])
    coverage = Coverage()
    coverage.about(suite.rulebook.rules)
    assert coverage.percent() == 0
    coverage.add(seen)
    assert coverage.missing() == [
        ("bad-release", "cooldown: {for: 1h} refused"),
        ("bad-release", "limit: {effects: 1, of: target, per: 6h} refused"),
    ]
    assert coverage.percent() == 66
    assert {"owner", "human_active"} <= set(coverage.never_refused())
