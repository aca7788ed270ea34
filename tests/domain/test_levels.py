"""Which level a change has, and how many people have to agree to it."""

import pytest

from remediator.domain.answers import Refusal
from remediator.domain.levels import LEVELS, Agreement, Level, agreement, level_of
from remediator.domain.run_view import Mode
from remediator.rulebook.shape import STEPS

G0, G1, G2, G3, G4 = Level

LEVEL_OF: dict[tuple[str, ...], Level] = {
    (): G0,
    ("rollback",): G1,
    ("restart",): G1,
    ("evict_pod",): G1,
    ("undo",): G2,
    ("rollback", "evict_pod"): G1,
    ("rollback", "undo"): G2,
    ("drop_database",): G4,
    ("rollback", "drop_database"): G4,
    ("",): G4,
    ("Rollback",): G4,
}

PEOPLE: dict[tuple[Level, Mode, bool], int | None] = {
    (G0, "act", False): 0,
    (G0, "act", True): 1,
    (G0, "ask", False): 1,
    (G0, "ask", True): 1,
    (G1, "act", False): 0,
    (G1, "act", True): 1,
    (G1, "ask", False): 1,
    (G1, "ask", True): 1,
    (G2, "act", False): 1,
    (G2, "act", True): 1,
    (G2, "ask", False): 1,
    (G2, "ask", True): 1,
    (G3, "act", False): 2,
    (G3, "act", True): 2,
    (G3, "ask", False): 2,
    (G3, "ask", True): 2,
    (G4, "act", False): None,
    (G4, "act", True): None,
    (G4, "ask", False): None,
    (G4, "ask", True): None,
}
"""How many have to say yes, by level, mode and whether a guard or the change asks; None is never."""


@pytest.mark.parametrize(("actions", "level"), LEVEL_OF.items())
def test_the_highest_level_decides_and_what_is_unknown_is_peoples_own(
    actions: tuple[str, ...], level: Level
) -> None:
    assert level_of(actions) is level


@pytest.mark.parametrize(("case", "people"), PEOPLE.items())
def test_so_many_people_have_to_agree(case: tuple[Level, Mode, bool], people: int | None) -> None:
    level, mode, asks = case
    needed = agreement(level, mode, ["siblings: web was released with it"] if asks else [])
    if people is None:
        assert isinstance(needed, Refusal)
        assert not needed.passing
        return
    assert isinstance(needed, Agreement)
    assert needed.people == people
    assert bool(needed.why) is (people > 0), "whoever is asked is told why, and nobody is told for nothing"
    assert ("siblings: web was released with it" in needed.why) is asks
    assert ("the rule is in mode ask" in needed.why) is (mode == "ask")


@pytest.mark.parametrize(("level", "excluded"), [(G1, False), (G2, False), (G3, True)])
def test_whoever_asked_for_it_may_agree_unless_two_are_asked(level: Level, excluded: bool) -> None:
    needed = agreement(level, "ask")
    assert isinstance(needed, Agreement)
    assert needed.not_the_requester is excluded


def test_every_action_a_rule_can_name_has_a_level_it_may_be_made_at() -> None:
    assert STEPS["actions"].keys() <= LEVELS.keys()
    assert all(LEVELS[each] < G4 for each in STEPS["actions"])
