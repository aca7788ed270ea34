"""A month that was gone through by hand, row by row; the comments say how each came about."""

from collections import Counter
from pathlib import Path

import pytest

from remediator.backtest.decision import Result
from remediator.backtest.lines import read_history
from remediator.backtest.report import not_known, stopped_by
from remediator.backtest.simulate import simulate
from remediator.catalogue import ALWAYS_ON
from tests.backtest.month import RULES, TERMS, alert, lines, month, rulebook, written

BY_HAND = [
    # Fires at 10:05 and waits a minute. v2 was rolled out at 10:00, v1 ran for weeks.
    "02 10:06:00 bad-release api rollback to api:v1 might act",
    # Two hours after the rollout: more than 30 minutes and the alert's own 2.
    "02 12:01:00 bad-release api rollback to api:v1 stopped by caused_by_rollout ping_pong cooldown",
    "03 09:00:00 hung web restart might act",
    # The run held the target until 09:10 and it settled until 09:20; the alert of 09:15 was gone by then.
    # That of 09:40 is held by the cooldown until an hour after 09:00.
    "03 10:00:00 hung web restart might act after cooldown",
    # The third of the rule in a day: it clears at 12:30.
    "03 12:30:00 hung web restart cleared by limit",
    # Nothing else fires. It is given up at the first look more than an hour after 08:00.
    "04 09:00:30 slow web restart stopped by alerts_correlated",
    # CpuHigh comes at 08:05.
    "05 08:05:00 slow web restart might act after alerts_correlated",
    "06 06:00:00 hung a restart might act",
    "06 06:01:00 hung b restart might act",
    # Two effects are unsettled, two of the namespace's and two of the rule's are taken. At 06:03 d makes it a storm
    # until 06:13; what is left is the rule's limit. d is planned when the storm is over.
    "06 06:30:00 hung c restart cleared by limit",
    "06 06:30:00 hung d restart cleared by limit",
    "07 07:00:00 ask-first dns restart stopped by protected",
    "08 07:00:00 ask-first worker restart might ask",
    "09 03:00:00 look-only api look hands over",
    "10 03:00:00 hung smtp restart might act",
    # Of web no version is known, so neither is where a rollback would go.
    "11 01:01:00 bad-release web rollback might act",
    # Both alerts of cart fire at noon; the rule with the lower number waits a minute, and takes both.
    "12 12:01:00 bad-release cart rollback might act",
    # kubectl wrote at 09:50, which people are left half an hour for.
    "13 10:20:00 hung web restart might act after human_active",
]


@pytest.fixture
def result(tmp_path: Path) -> Result:
    return simulate(month(), rulebook(tmp_path), TERMS)


def told(result: Result) -> list[str]:
    """One line a decision."""
    found = []
    for each in result.decisions:
        name = each.target.rpartition("/")[2]
        did = f"{each.action or 'look'} to {each.to}" if each.to else each.action or "look"
        by = f" by {' '.join(each.stopped_by)}" if each.stopped_by else ""
        after = f" after {' '.join(each.held_by)}" if each.held_by else ""
        found.append(f"{each.at:%d %H:%M:%S} {each.rule} {name} {did} {each.outcome}{by}{after}")
    return found


def test_the_month_comes_out_as_it_was_computed_by_hand(result: Result) -> None:
    assert told(result) == BY_HAND
    assert result.storms == 1


def test_every_alert_has_a_fate(result: Result) -> None:
    assert Counter(each.disposition for each in result.disposed) == {
        "planned": 18,
        "joined": 1,
        "settling": 1,
        "waiting": 1,
        "no_rule": 2,
        "no_target": 1,
        "target_unknown": 1,
    }


def test_what_stood_against_it_is_counted_by_guard(result: Result) -> None:
    assert stopped_by(result) == {
        "limit": 3,
        "caused_by_rollout": 1,
        "cooldown": 1,
        "ping_pong": 1,
        "alerts_correlated": 1,
        "protected": 1,
    }


def test_what_is_not_known_is_counted_for_each_decision_that_might_have_been_done(result: Result) -> None:
    unknown = not_known(result)
    acting = sum(each.acts for each in result.decisions)
    assert acting == 11
    for name in (
        "owner",
        "floor",
        "opted_in",
        "node_trouble",
        "monitoring_fresh",
        "pause",
        "freeze",
        "quota",
    ):
        assert unknown[name] == acting, name
    # Of three rollbacks two are of workloads of which nothing is known.
    assert unknown["rollback (which version)"] == unknown["caused_by_rollout"] == 2
    assert unknown["ping_pong"] == unknown["migration"] == unknown["siblings"] == 3
    assert unknown["restart_loop"] == acting - 3


def test_a_decision_never_hides_an_always_on_guard_that_the_history_has_no_facts_for(result: Result) -> None:
    sure = {"autoscaled", "rule_in_force", "this_cluster", "storm", "budget"}
    every = {each.key() for each in ALWAYS_ON} - sure
    for each in result.decisions:
        if each.acts and each.action == "restart":
            of_others = {"caused_by_rollout", "ping_pong", "siblings", "migration", "capacity"}
            assert {name for name in each.unknown if "(" not in name} == every - of_others


def test_another_cooldown_changes_exactly_the_decisions_that_it_held(tmp_path: Path, result: Result) -> None:
    longer = RULES.replace("cooldown: {for: 1h}", "cooldown: {for: 75m}")
    assert longer != RULES
    changed = told(simulate(month(), rulebook(tmp_path, longer), TERMS))
    assert [each for each in told(result) if each not in changed] == [
        "03 10:00:00 hung web restart might act after cooldown"
    ]
    assert [each for each in changed if each not in told(result)] == [
        "03 10:15:00 hung web restart might act after cooldown"
    ]


@pytest.mark.parametrize(
    ("hold", "hours", "outcome"),
    [
        ("2m", 2, "stopped"),
        ("2h", 2, "might act"),
        # Nobody knows the rule's own `for`: it may be two hours, but hardly two days.
        (None, 2, "might act"),
        (None, 49, "stopped"),
    ],
)
def test_a_rollout_is_too_early_only_when_no_for_of_the_alert_explains_it(
    tmp_path: Path, hold: str | None, hours: int, outcome: str
) -> None:
    window, before, after, *_ = lines()
    begins = f"{10 + hours % 24}:00"
    told = [
        window,
        before,
        after,
        alert("HighErrorRate", "shop/api", 2 + hours // 24, begins, None, hold=hold),
    ]
    decision = simulate(read_history("told", written(told)), rulebook(tmp_path), TERMS).decisions[0]
    assert decision.outcome == outcome
    assert ("caused_by_rollout" in decision.unknown) is (hold is None and outcome == "might act")
    assert ("caused_by_rollout" in decision.stopped_by) is (outcome == "stopped")
