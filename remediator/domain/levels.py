"""Guard levels: what a change may do harm to, and so who has to agree before it is made.

The levels G0 to G4 of the operational runbook. They stand in code: no rule and no setting lowers one.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from types import MappingProxyType

from remediator.domain.answers import Refusal
from remediator.domain.run_view import Mode
from remediator.domain.value import Value


class Level(IntEnum):
    """How much care a change takes. The higher of two decides."""

    G0 = 0
    """Looks only."""
    G1 = 1
    """Reversible: may be made by itself, with all guards."""
    G2 = 2
    """Disruptive, or only partly reversible: one person agrees."""
    G3 = 3
    """Destroys, touches data, or isolates: two people agree, neither of them the one who asked for it."""
    G4 = 4
    """People's own: never made by the daemon."""

    def __str__(self) -> str:
        return self.name


LEVELS: Mapping[str, Level] = MappingProxyType(
    {
        "rollback": Level.G1,
        "restart": Level.G1,
        "scale": Level.G1,
        "evict_pod": Level.G1,
        "undo": Level.G2,
    }
)
"""The level of each action, by its name in the catalogue; `undo` is a person's return to a version they name.

A scaling back to what was recorded asks a person by itself, which is as much as G2.
"""


def level_of(actions: Iterable[str], levels: Mapping[str, Level] = LEVELS) -> Level:
    """The level of a plan with these actions. One that the table does not know is people's own."""
    return max((levels.get(action, Level.G4) for action in actions), default=Level.G0)


class Agreement(Value):
    """Who has to agree to a plan."""

    level: Level
    people: int
    """How many different people have to say yes; 0 when nobody is asked."""
    why: tuple[str, ...] = ()
    """What they are asked, a sentence for each reason."""

    @property
    def not_the_requester(self) -> bool:
        """Whether the one who asked for the run may not be among those who agree."""
        return self.people > 1


def agreement(level: Level, mode: Mode, reasons: Iterable[str] = ()) -> Agreement | Refusal:
    """Who has to agree to a plan of this level, or why it is never made.

    `reasons` are what its changes and guards want a person to agree to.
    """
    why = list(dict.fromkeys(reasons))
    if mode == "ask":
        why.insert(0, "the rule is in mode ask")
    if level is Level.G4:
        return Refusal(why="a change of level G4 is people's own: it is never made by the daemon")
    if level is Level.G3:
        why.insert(0, "a change of level G3 takes two people, neither of them the one who asked for it")
        return Agreement(level=level, people=2, why=tuple(why))
    if level is Level.G2:
        why.insert(0, "a change of level G2 takes a person's yes")
    return Agreement(level=level, people=1 if why else 0, why=tuple(why))
