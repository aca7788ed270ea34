"""A changed rule keeps its standing only when it provably can do nothing that it could not do before."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remediator.domain.matcher import parse_matchers
from remediator.guards.cooldown import Cooldown
from remediator.guards.limit import Limit
from remediator.rulebook.narrowing import widened
from remediator.rulebook.rule import LoadedRule, Rule, RuleTarget
from remediator.rulebook.targets import with_their_targets

ENTRY = {
    "match": ('{job="checkout"}',),
    "target": "deployment/shop/api",
    "depends_on": ("statefulset/shop/db",),
}
BEFORE: dict[str, Any] = {
    "rule": "bad-release",
    "match": ('{alertname=~"HighErrorRate|Slow", severity=~"critical|page"}', '{job="checkout"}'),
    "priority": 50,
    "wait": "1m",
    "guards": ({"limit": {"effects": 2, "per": "6h", "of": "target"}}, {"cooldown": {"for": "30m"}}),
    "rungs": (
        {"actions": ("restart",), "verifications": ("alert_cleared",)},
        {"actions": ("rollback",), "verifications": ("rollout_complete", "alert_cleared")},
    ),
    "targets": (ENTRY,),
}
RESTARTS, ROLLS_BACK = BEFORE["rungs"]
LIMIT, COOLDOWN = BEFORE["guards"]

SAME_OR_NARROWER: dict[str, dict[str, Any]] = {
    "nothing": {},
    "what it says": {"owner": "x", "description": "y", "runbook": "https://example.com/y"},
    "what it looks at": {"diagnostics": ("pods", "events")},
    "what it hands over": {"otherwise": {"hand_over": ("restore_database",)}},
    "its mode": {"mode": "act"},
    "a line is gone": {"match": BEFORE["match"][:1]},
    "one more condition": {"match": ('{job="checkout", code!="404"}',)},
    "fewer values": {"match": ('{alertname="Slow", severity="page"}',)},
    "it comes later": {"priority": 51},
    "it waits longer": {"wait": "61s"},
    "one more guard": {"guards": (LIMIT, COOLDOWN, {"limit": {"runs": 9, "per": "1h", "of": "everything"}})},
    "a limit of fewer": {"guards": ({"limit": {"effects": 1, "per": "6h", "of": "target"}}, COOLDOWN)},
    "a limit over longer": {"guards": ({"limit": {"effects": 2, "per": "7h", "of": "target"}}, COOLDOWN)},
    "a longer cooldown": {"guards": (LIMIT, {"cooldown": {"for": "31m"}})},
    "guards in another order": {"guards": (COOLDOWN, LIMIT)},
    "the last rung is gone": {"rungs": (RESTARTS,)},
    "the same without rungs": {"rungs": (), "actions": ("restart",), "verifications": ("alert_cleared",)},
    "it only looks": {"rungs": ()},
    "it depends on more": {"targets": ({**ENTRY, "depends_on": ("statefulset/shop/db", "service/shop/x")},)},
    "an entry that its alerts cannot match any more": {
        "match": ('{alertname="Slow", severity="page", job="search"}',),
        "targets": (),
    },
}
WIDER: dict[str, dict[str, Any]] = {
    "one more line": {"match": (*BEFORE["match"], '{alertname="Other"}')},
    "one condition fewer": {"match": ('{alertname=~"HighErrorRate|Slow"}',)},
    "one more value": {"match": ('{alertname=~"HighErrorRate|Slow|Odd", severity="page"}',)},
    "an expression that may be the same": {"match": ('{job=~"check.*"}',)},
    "it goes first": {"priority": 49},
    "it waits less": {"wait": "59s"},
    "a guard is gone": {"guards": (LIMIT,)},
    "a limit of more": {"guards": ({"limit": {"effects": 3, "per": "6h", "of": "target"}}, COOLDOWN)},
    "a limit over less": {"guards": ({"limit": {"effects": 2, "per": "5h", "of": "target"}}, COOLDOWN)},
    "a limit of something else": {"guards": ({"limit": {"effects": 2, "per": "6h", "of": "rule"}}, COOLDOWN)},
    "a limit of runs": {"guards": ({"limit": {"runs": 1, "per": "6h", "of": "target"}}, COOLDOWN)},
    "a shorter cooldown": {"guards": (LIMIT, {"cooldown": {"for": "29m"}})},
    "one more rung": {"rungs": (RESTARTS, ROLLS_BACK, ROLLS_BACK)},
    "another first rung": {"rungs": (ROLLS_BACK,)},
    "an action that accepts more": {
        "rungs": (RESTARTS, {**ROLLS_BACK, "actions": ({"rollback": {"soak": "1m"}},)})
    },
    "a verification is gone": {"rungs": (RESTARTS, {**ROLLS_BACK, "verifications": ("alert_cleared",)})},
    "a verification is added": {
        "rungs": ({**RESTARTS, "verifications": ("alert_cleared", "rollout_complete")},)
    },
    "another workload": {"targets": ({**ENTRY, "target": "deployment/shop/other"},)},
    "an entry is gone": {"targets": ()},
    "one more entry": {"targets": (ENTRY, {**ENTRY, "match": ('{job=~"check.*"}',)})},
    "it depends on less": {"targets": ({**ENTRY, "depends_on": ()},)},
}


def rule(**changed: Any) -> LoadedRule:
    return LoadedRule.model_validate({**BEFORE, **changed})


@pytest.mark.parametrize("changed", SAME_OR_NARROWER.values(), ids=list(SAME_OR_NARROWER))
def test_what_cannot_matter_or_only_narrows_keeps_the_standing(changed: dict[str, Any]) -> None:
    assert widened(rule(), rule(**changed)) == ()


@pytest.mark.parametrize("changed", WIDER.values(), ids=list(WIDER))
def test_everything_else_is_a_widening(changed: dict[str, Any]) -> None:
    assert len(widened(rule(), rule(**changed))) == 1
    assert rule(**changed).digest != rule().digest


VALUES = ("", "a", "b", "c")
CONDITIONS = st.builds(
    lambda name, operator, value: f'{name}{operator}"{value}"',
    st.sampled_from(("x", "y")),
    st.sampled_from(("=", "!=", "=~", "!~")),
    st.sampled_from(("a", "b", "a|b", "a|b|c", "a.*", ".*", "a|", "[ab]")),
)
EVERY_ALERT = [
    {name: value for name, value in (("x", x), ("y", y), ("z", "z")) if value}
    for x, y in itertools.product(VALUES, VALUES)
]


Conditions = list[list[str]]
SOME_LINES = st.lists(st.lists(CONDITIONS, max_size=3), min_size=1, max_size=3)


def written(conditions: Conditions) -> tuple[str, ...]:
    return tuple("{" + ",".join(('z="z"', *each)) + "}" for each in conditions)


@st.composite
def changed_a_little(draw: st.DrawFn) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Lines, and the same with some conditions more, fewer or others."""
    before = draw(st.lists(st.lists(CONDITIONS, min_size=1, max_size=2), min_size=1, max_size=2))
    after = [
        [draw(st.just(one) | CONDITIONS) for one in each] + draw(st.lists(CONDITIONS, max_size=1))
        for each in before
    ]
    return written(before), written(after)


def matched(match: tuple[str, ...]) -> set[int]:
    found = set()
    for text in match:
        try:
            line = parse_matchers(text)
        except ValueError:
            continue
        found |= {n for n, labels in enumerate(EVERY_ALERT) if all(each.matches(labels) for each in line)}
    return found


def parses(match: tuple[str, ...]) -> bool:
    try:
        return bool([parse_matchers(text) for text in match])
    except ValueError:
        return False


@settings(max_examples=500, deadline=None)
@given(changed_a_little())
def test_a_narrower_match_matches_no_alert_that_was_not_matched(
    changed: tuple[tuple[str, ...], tuple[str, ...]],
) -> None:
    before, after = changed
    if not parses(before) or not parses(after):
        return
    if not widened(rule(match=before, targets=()), rule(match=after, targets=())):
        assert matched(after) <= matched(before)


@settings(max_examples=150, deadline=None)
@given(SOME_LINES.map(written).filter(parses), SOME_LINES.map(written).filter(parses))
def test_an_entry_is_only_left_out_when_no_alert_of_the_rule_can_match_it(
    match: tuple[str, ...], entry: tuple[str, ...]
) -> None:
    target = RuleTarget(match=entry, target="deployment/shop/api")
    (loaded,) = with_their_targets([Rule(rule="one", match=match)], [target])
    assert loaded.targets == (target,) or not matched(match) & matched(entry)


LIMITS = st.builds(
    lambda what, number, minutes, of: Limit.model_validate({what: number, "per": f"{minutes}m", "of": of}),
    st.sampled_from(("effects", "runs")),
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from(("target", "rule")),
)


@settings(max_examples=150, deadline=None)
@given(LIMITS, LIMITS, st.lists(st.integers(0, 4), max_size=6))
def test_a_narrower_limit_refuses_whenever_the_one_before_did(
    before: Limit, after: Limit, minutes_ago: list[int]
) -> None:
    def refuses(limit: Limit) -> bool:
        counted = sum(1 for each in minutes_ago if each < limit.per.total_seconds() / 60)
        return counted >= (limit.effects or limit.runs or 0)

    if after.narrows(before):
        assert (after.of, after.runs is None) == (before.of, before.runs is None)
        assert refuses(after) or not refuses(before)


def test_a_step_narrows_nothing_of_another_kind() -> None:
    assert not Cooldown().narrows(Limit.model_validate({"runs": 1, "per": "1m", "of": "rule"}))
    assert not Limit.model_validate({"runs": 1, "per": "1m", "of": "rule"}).narrows(Cooldown())
