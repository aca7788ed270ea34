"""The judge of budgets finds what is over, and nothing that is not."""

from datetime import timedelta

from tests.storms.windows import Happened, over_budget
from tests.support.clock import START

PER = timedelta(minutes=10)


def at(*minutes: float, namespace: str = "shop") -> list[Happened]:
    return [Happened(START + timedelta(minutes=each), namespace) for each in minutes]


def test_effects_a_whole_window_apart_are_not_counted_together() -> None:
    assert over_budget(at(0, 9, 10, 19), PER, everywhere=2, in_namespace=2) == []


def test_a_window_need_not_begin_at_a_full_one() -> None:
    (found,) = over_budget(at(0, 7, 9, 16.8, 16.9), PER, everywhere=3, in_namespace=5)
    assert found.startswith("4 effects everywhere")


def test_a_namespace_has_a_budget_of_its_own() -> None:
    effects = [*at(0, 1, 2), *at(3, namespace="other")]
    (found,) = over_budget(effects, PER, everywhere=4, in_namespace=2)
    assert found.startswith("3 effects in shop")
