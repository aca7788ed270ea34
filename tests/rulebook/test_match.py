"""The index answers what asking every rule would answer, in the order in which rules are considered."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remediator.domain.matcher import MatcherError, parse_matchers
from remediator.domain.run_view import Mode
from remediator.rulebook.load import Rulebook
from remediator.rulebook.match import Matching
from remediator.rulebook.rule import LoadedRule, RuleTarget


def rule(name: str, *match: str, priority: int = 100, mode: Mode = "shadow") -> LoadedRule:
    return LoadedRule(rule=name, match=match, priority=priority, mode=mode)


def names(matching: Matching, labels: Mapping[str, str]) -> list[str]:
    return [each.rule for each in matching.rules_for(labels)]


def matches_line(line: str, labels: Mapping[str, str]) -> bool:
    return all(each.matches(labels) for each in parse_matchers(line))


def test_lines_are_alternatives_and_a_rule_is_found_once() -> None:
    matching = Matching(Rulebook(rules=(rule("r", '{a="x"}', '{a=~"x|y"}', '{b="z"}'),)))
    assert names(matching, {"a": "x", "b": "z"}) == ["r"]
    assert names(matching, {"b": "z"}) == ["r"]
    assert names(matching, {"a": "z"}) == []


def test_the_lowest_priority_comes_first_and_then_the_order_of_the_files() -> None:
    rules = (
        rule("c", '{a="x"}'),
        rule("b", '{a="x"}', priority=5),
        rule("a", '{a=~"x.*"}'),
        rule("d", '{b="y"}', priority=5),
    )
    matching = Matching(Rulebook(rules=rules))
    assert names(matching, {"a": "x", "b": "y"}) == ["b", "d", "c", "a"]
    assert [matching.order_of(each) for each in rules] == [0, 1, 2, 3]


def test_rules_in_mode_off_are_found_apart_from_the_others() -> None:
    matching = Matching(
        Rulebook(rules=(rule("on", '{a="x"}', mode="act"), rule("off", '{a="x"}', mode="off")))
    )
    assert names(matching, {"a": "x"}) == ["on"]
    assert [each.rule for each in matching.off_rules_for({"a": "x"})] == ["off"]
    assert matching.off_rules_for({"a": "y"}) == ()


def test_targets_are_found_in_file_order() -> None:
    targets = tuple(
        RuleTarget(match=(line,), target=f"deployment/shop/{name}")
        for name, line in [("b", '{job=~"che.*"}'), ("a", '{job="checkout"}'), ("c", '{job="cart"}')]
    )
    found = Matching(Rulebook(targets=targets)).targets_for({"job": "checkout"})
    assert [each.target for each in found] == ["deployment/shop/b", "deployment/shop/a"]


def test_the_same_labels_get_the_same_answer_however_often_they_are_asked() -> None:
    matching = Matching(Rulebook(rules=(rule("r", '{a=~"x.+", b!="y"}'),)))
    for _ in range(3):
        assert names(matching, {"a": "xz"}) == ["r"]
        assert names(matching, {"a": "xz", "b": "y"}) == []
        assert names(matching, {"a": "x"}) == []


LABELS = ("alertname", "job", "namespace", "severity")
VALUES = ("", "a", "ab", "b", "critical")
PATTERNS = ("a", "a|b", "a.*", ".+", "", "(?i)A.?", "ab?|critical", "[^a]+")


@st.composite
def lines(draw: st.DrawFn) -> str:
    conditions = []
    for name in draw(st.lists(st.sampled_from(LABELS), min_size=1, max_size=4)):
        operator = draw(st.sampled_from(["=", "!=", "=~", "!~"]))
        value = draw(st.sampled_from(PATTERNS if "~" in operator else VALUES))
        conditions.append(f'{name}{operator}"{value}"')
    return "{" + ", ".join(conditions) + "}"


def usable(line: str) -> bool:
    try:
        return bool(parse_matchers(line))
    except MatcherError:
        return False


ALERTS = st.dictionaries(st.sampled_from(LABELS), st.sampled_from(VALUES))


@settings(max_examples=100, deadline=None)
@given(
    books=st.lists(st.lists(lines().filter(usable), min_size=1, max_size=3), min_size=1, max_size=8),
    alerts=st.lists(ALERTS, min_size=1, max_size=8),
    copies=st.sampled_from([1, 40]),
)
def test_the_index_finds_what_asking_every_rule_finds(
    books: list[list[str]], alerts: list[dict[str, str]], copies: int
) -> None:
    """Forty copies crowd every equality, so that lines are filed under their expressions too."""
    rules = tuple(rule(f"r{i}-{j}", *match) for j in range(copies) for i, match in enumerate(books))
    matching = Matching(Rulebook(rules=rules))
    for labels in alerts:
        expected = [each.rule for each in rules if any(matches_line(line, labels) for line in each.match)]
        assert names(matching, labels) == expected


@pytest.mark.parametrize("crowd", [1, 100])
def test_a_crowded_equality_gives_way_to_an_expression_that_fewer_lines_share(crowd: int) -> None:
    rules = tuple(rule(f"r{i}", f'{{alertname="A", namespace=~"team-{i}-.*"}}') for i in range(crowd))
    matching = Matching(Rulebook(rules=rules))
    assert names(matching, {"alertname": "A", "namespace": f"team-{crowd - 1}-x"}) == [f"r{crowd - 1}"]
    assert names(matching, {"alertname": "B", "namespace": f"team-{crowd - 1}-x"}) == []
