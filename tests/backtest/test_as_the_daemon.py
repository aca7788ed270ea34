"""What a simulation must judge as the daemon would have, one small history at a time."""

from pathlib import Path

import pytest

from remediator.backtest.decision import Decision, Result
from remediator.backtest.lines import read_history
from remediator.backtest.lines import written as lines_of
from remediator.backtest.past import Past
from remediator.backtest.simulate import simulate
from remediator.backtest.terms import Terms
from remediator.settings.load import load_settings
from tests.backtest.month import BEGAN, ENDED, TERMS, alert, at, rollout, rulebook, written

WINDOW: dict[str, object] = {
    "kind": "history",
    "version": 1,
    "from": BEGAN.isoformat(),
    "to": ENDED.isoformat(),
}
RULES = """
rules:
  - rule: back
    mode: act
    match: ['{alertname="High"}']
    actions: [rollback]
    verifications: [rollout_complete: {within: 10m}]
  - rule: again
    mode: act
    match: ['{alertname="Hung"}']
    actions: [restart]
    verifications: [rollout_complete: {within: 10m}]
  - rule: watching
    mode: shadow
    match: ['{alertname="Slow"}', '{alertname="Hung", container="b"}']
    actions: [restart]
    verifications: [rollout_complete: {within: 10m}]
"""


def past(*told: dict[str, object]) -> Past:
    return read_history("told", written([WINDOW, *told]))


def simulated(directory: Path, told: Past, rules: str = RULES, terms: Terms = TERMS) -> Result:
    return simulate(told, rulebook(directory, rules), terms)


def only(result: Result) -> Decision:
    (decision,) = result.decisions
    return decision


VERSIONS = (
    rollout("shop/api", at(1, "00:00"), "aaa1", "v1", at(25, "10:00"), available=20 * 86400, seen=False),
    rollout("shop/api", at(25, "10:00"), "aaa2", "v2", None, available=240),
)
NOW_BAD = alert("High", "shop/api", 25, "10:05", "11:00", hold="2m")


def test_a_version_in_whose_time_the_alert_fired_is_not_good_however_short_the_window(tmp_path: Path) -> None:
    whole = past(*VERSIONS, alert("High", "shop/api", 3, "10:00", "10:30"), NOW_BAD)
    refused = simulated(tmp_path, whole).decisions[-1]
    assert refused.stopped_by == ("rollback",)
    window = whole.last_days(12)
    result = simulated(tmp_path, window)
    assert (only(result).outcome, only(result).why) == ("stopped", refused.why)
    assert len(window.alerts_within) == 1
    assert read_history("exported", [line.encode() for line in lines_of(window)]) == window
    assert [each.disposition for each in result.disposed] == ["over_before", "planned"]


def test_an_alert_that_no_rule_matches_says_nothing_against_a_version(tmp_path: Path) -> None:
    """Its target is never looked up, so that the daemon does not know it for one of this workload's."""
    rules = RULES.replace('{alertname="High"}', '{alertname="High", severity="page"}')
    early = alert("High", "shop/api", 3, "10:00", "10:30", severity="info")
    told = past(*VERSIONS, early, alert("High", "shop/api", 25, "10:05", "11:00", hold="2m", severity="page"))
    decision = only(simulated(tmp_path, told, rules))
    assert (decision.outcome, decision.to) == ("might act", "v1")


def settings(directory: Path, text: str) -> Terms:
    file = directory / "remediator.yml"
    file.write_text(text)
    return Terms.of(load_settings(file, {}, {}))


def test_an_alert_of_another_cluster_is_not_planned_here(tmp_path: Path) -> None:
    terms = settings(tmp_path, "cluster: {name: here, label: cluster}\n")
    told = past(
        alert("Hung", "shop/a", 2, "10:00", "10:30", cluster="there"),
        alert("Hung", "shop/b", 2, "10:00", "10:30", cluster="here"),
        alert("Hung", "shop/c", 2, "10:00", "10:30"),
    )
    result = simulated(tmp_path, told, terms=terms)
    assert result.disposed[1] == ("other_cluster", "it is about cluster 'there'")
    assert [(each.target, each.outcome, each.stopped_by) for each in result.decisions] == [
        ("deployment/shop/b", "might act", ()),
        ("deployment/shop/c", "stopped", ("this_cluster",)),
    ]


def test_what_the_settings_protect_is_never_touched(tmp_path: Path) -> None:
    terms = settings(
        tmp_path,
        "protected_namespaces: [shop]\nprotected_targets: [deployment/pay/a]\n"
        "prometheus: {url: 'http://prometheus.metrics:9090'}\n",
    )
    told = past(
        alert("Hung", "shop/a", 2, "10:00", "10:30"),
        alert("Hung", "pay/a", 3, "10:00", "10:30"),
        alert("Hung", "metrics/a", 4, "10:00", "10:30"),
        alert("Hung", "pay/b", 5, "10:00", "10:30"),
    )
    assert [(each.outcome, each.why) for each in simulated(tmp_path, told, terms=terms).decisions] == [
        ("stopped", "protected: namespace shop is protected: what the settings protect lives there"),
        ("stopped", "protected: deployment/pay/a is protected by name"),
        ("stopped", "protected: namespace metrics is protected: the Prometheus that is asked lives there"),
        ("might act", ""),
    ]


def test_nobody_knows_whether_an_alert_was_silenced(tmp_path: Path) -> None:
    decision = only(simulated(tmp_path, past(alert("Hung", "shop/a", 2, "10:00", "10:30"))))
    assert "alert_still_firing" in decision.unknown
    assert any("silences" in each for each in TERMS.assumptions)


def wrote(day: int, time: str) -> dict[str, object]:
    return {
        "kind": "write",
        "target": "deployment/shop/api",
        "at": at(day, time).isoformat(),
        "by": "kubectl",
    }


@pytest.mark.parametrize(
    ("write", "held_by"),
    [
        # Pipelines often write twice.
        ("10:00:08", ()),
        ("10:00:12", ("human_active",)),
    ],
)
def test_a_write_right_after_a_rollout_made_it(tmp_path: Path, write: str, held_by: tuple[str, ...]) -> None:
    told = past(*VERSIONS, wrote(25, write), NOW_BAD)
    assert only(simulated(tmp_path, told)).held_by == held_by


def test_a_write_after_the_alert_is_a_fix_even_when_it_made_the_rollout(tmp_path: Path) -> None:
    fixed = [
        rollout("shop/api", at(1, "00:00"), "aaa1", "v1", at(25, "10:04"), available=20 * 86400, seen=False),
        rollout("shop/api", at(25, "10:04"), "aaa2", "v2", None, available=240),
    ]
    hung = {
        **alert("Hung", "shop/api", 25, "10:03:58", "11:00"),
        "receivedAt": at(25, "10:04:05").isoformat(),
    }
    assert only(simulated(tmp_path, past(*fixed, wrote(25, "10:04"), hung))).held_by == ("human_active",)


NEEDING = """
targets:
  - {match: ['{deployment="a"}'], target: deployment/shop/a, depends_on: [statefulset/shop/db]}
  - {match: ['{deployment="b"}'], target: deployment/shop/b, depends_on: [statefulset/shop/db]}
"""


@pytest.mark.parametrize(
    ("of_b", "held"),
    [
        # B's first alert is old, its second is as new as A's: they began together.
        ([("Slow", "08:00"), ("Hung", "09:50")], True),
        ([("Slow", "08:00")], False),
    ],
)
def test_another_target_that_began_to_fire_together_counts_by_its_first_alert_since_then(
    tmp_path: Path, of_b: list[tuple[str, str]], held: bool
) -> None:
    told = past(
        *(alert(name, "shop/b", 2, begins, "12:00") for name, begins in of_b),
        alert("Hung", "shop/a", 2, "10:00", "12:00"),
    )
    found = [
        each
        for each in simulated(tmp_path, told, NEEDING + RULES).decisions
        if each.target == "deployment/shop/a"
    ]
    assert ("storm" in only_of(found).stopped_by + only_of(found).held_by) is held


def test_together_is_measured_from_the_newest_alert_of_the_target(tmp_path: Path) -> None:
    told = past(
        alert("Slow", "shop/b", 2, "09:45", "14:00"),
        alert("Hung", "shop/a", 2, "10:00", "14:00"),
        alert("Slow", "shop/a", 2, "10:20", "14:00"),
    )
    found = [
        each
        for each in simulated(tmp_path, told, NEEDING + RULES).decisions
        if each.target == "deployment/shop/a" and each.rule == "again"
    ]
    # From 10:20 on, what began at 09:45 did not begin together with it.
    assert (only_of(found).outcome, f"{only_of(found).at:%H:%M}") == ("might act", "10:20")


def only_of(found: list[Decision]) -> Decision:
    (decision,) = found
    return decision


def test_a_rule_in_shadow_looks_while_a_run_holds_the_target(tmp_path: Path) -> None:
    told = past(
        alert("Hung", "shop/a", 2, "10:00", "12:00", container="a"),
        alert("Hung", "shop/a", 2, "10:01", "12:00", container="b"),
    )
    assert [(each.rule, f"{each.at:%H:%M}") for each in simulated(tmp_path, told).decisions] == [
        ("again", "10:00"),
        ("watching", "10:01"),
    ]


def test_nothing_is_known_of_versions_at_a_time_at_which_nobody_looked(tmp_path: Path) -> None:
    gap = [at(25, "10:01").isoformat(), at(25, "10:06").isoformat()]
    first, second = VERSIONS
    told = past(first, {**second, "unseen": [gap]}, NOW_BAD)
    decision = only(simulated(tmp_path, told))
    assert decision.to == ""
    assert {"caused_by_rollout", "rollback (which version)"} <= {*decision.unknown}
    assert only(simulated(tmp_path, past(first, second, NOW_BAD))).to == "v1"
