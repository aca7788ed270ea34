"""What a rulebook holds once its files are fine."""

from datetime import timedelta
from pathlib import Path

import pytest

from remediator.rulebook.load import load
from remediator.rulebook.problem import RulebookError

RULES = """\
defaults: {owner: shop, mode: act, priority: 7, runbook: https://runbooks.example/shop}
targets:
  - match: ['{job="checkout"}']
    target: deployment/shop/checkout
rules:
  - rule: plain
    match: ['{alertname="A"}']
  - rule: own
    match: ['{alertname="B"}']
    owner: null
    mode: ask
    priority: 1
    wait: 1m30s
    guards:
      - limit: {effects: 1, per: 6h, of: target}
    rungs:
      - actions: [restart]
        verifications: [rollout_complete: {within: 5m}]
      - actions: [rollback]
        verifications: [rollout_complete]
"""


def test_a_file_fills_its_defaults_into_rules_that_do_not_say_otherwise(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(RULES)
    (tmp_path / "b.yaml").write_text("rules: [{rule: other, match: ['{a=\"b\"}']}]\n")
    plain, own, other = load([tmp_path]).rules
    assert (plain.owner, plain.mode, plain.priority) == ("shop", "act", 7)
    assert plain.runbook == "https://runbooks.example/shop"
    assert (own.owner, own.mode, own.priority, own.wait) == (None, "ask", 1, timedelta(seconds=90))
    assert (other.owner, other.mode, other.priority) == (None, "shadow", 100)


def test_the_ladder_has_a_rung_for_each_try(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(RULES)
    plain, own = load([tmp_path]).rules
    assert plain.ladder == ()
    assert [rung.actions[0].key() for rung in own.ladder] == ["restart", "rollback"]


def test_a_rule_knows_where_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(RULES)
    rulebook = load([tmp_path])
    assert rulebook.where("own") == f"{tmp_path / 'a.yaml'}:8"
    assert rulebook.files == (str(tmp_path / "a.yaml"),)
    with pytest.raises(KeyError):
        rulebook.where("nobody")


def test_the_digest_is_of_what_is_said_and_not_of_where_or_how(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "moved.yaml"
    first.write_text(RULES)
    second.write_text("# the same\n" + RULES.replace("wait: 1m30s", "wait: 90s"))
    assert load([first]).digest == load([second]).digest


@pytest.mark.parametrize(
    "change",
    [
        ("effects: 1", "effects: 2"),
        ("deployment/shop/checkout", "deployment/shop/cart"),
        ("owner: shop", "owner: cart"),
        ("rule: plain", "rule: simple"),
        ("within: 5m", "within: 6m"),
    ],
    ids="->".join,
)
def test_any_change_changes_the_digest(tmp_path: Path, change: tuple[str, str]) -> None:
    before, after = tmp_path / "a.yaml", tmp_path / "b.yaml"
    before.write_text(RULES)
    after.write_text(RULES.replace(*change))
    assert load([before]).digest != load([after]).digest


def test_nothing_is_loaded_while_one_file_has_a_problem(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(RULES)
    (tmp_path / "b.yaml").write_text("rules: [{rule: b}]\n")
    with pytest.raises(RulebookError) as refused:
        load([tmp_path])
    assert refused.value.sentence == f"{tmp_path / 'b.yaml'}:1:9: rules[0].match: required, but missing"
    assert len(refused.value.problems) == 1
