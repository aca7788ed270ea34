"""A rollback goes to the newest version known to be good, and to nothing else, whatever the history."""

import pytest

from remediator.domain.change import revision_hash
from remediator.workloads.last_known_good import SEEN, choose
from tests.support.proof_lines import Prove
from tests.workloads.life import SOAK, Life, chosen, version
from tests.workloads.told_history import History, random_history

HISTORIES = 3000


def lived(history: History) -> Life:
    """What Kubernetes and our memory would have recorded of it."""
    life = Life(remembering=False)
    for stay in history.stays:
        life.release(stay.name, stay.stamp)
        if stay.remembered:
            life.remember_from_now_on()
        if stay.alert:
            life.alert()
        life.runs(stay.minutes, available=stay.healthy)
    return life


def what_is_wrong(history: History) -> str | None:
    """How the choice differs from what a careful person would choose, or None."""
    life = lived(history)
    choice = choose(
        life.facts(
            missing_config={version(each): ("settings",) for each in history.without_config},
            unpullable=frozenset(f"registry.example.com/shop/app:{each}" for each in history.without_image),
        ),
        SOAK,
    )
    picked = chosen(choice)
    if choice.chosen is not None and choice.chosen.hash == revision_hash(life.current):
        return "the current version was chosen"
    seen = picked if choice.source in SEEN else None
    if seen is not None and seen not in history.possibly_good():
        return f"{seen} was chosen to act on, which is not known to be good"
    certain = history.certainly_good()
    if certain and (seen is None or history.last_stay(seen) < history.last_stay(certain[-1])):
        return f"{certain[-1]} is good, and {picked} was chosen by {choice.source}"
    return None


@pytest.mark.parametrize("seed", range(0, HISTORIES, 100))
def test_the_choice_is_what_a_careful_person_would_choose(seed: int) -> None:
    assert what_is_wrong(random_history(seed)) is None


@pytest.mark.proof
def test_proof_rollback(proof: Prove) -> None:
    histories = [random_history(seed) for seed in range(HISTORIES)]
    wrong = {seed: why for seed, each in enumerate(histories) if (why := what_is_wrong(each)) is not None}
    with_a_good_one = sum(1 for each in histories if each.certainly_good())
    proof("rollback", histories=len(histories), wrong=len(wrong), with_a_good_one=with_a_good_one)
    assert with_a_good_one > HISTORIES / 10, "too few histories in which there is something to choose"
    assert wrong == {}
