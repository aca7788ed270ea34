"""The faults of a database, and how they are spread over the statements on the way of an alert."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

What = Literal[
    "cut before", "cut after", "no space", "restart", "read-only", "no connection left", "pool exhausted"
]
_OFTEN: dict[What, int] = {"restart": 1, "read-only": 1, "no connection left": 1, "pool exhausted": 1}
"""In 30 faults; of the rest most are cuts, before and after in turn, and a few no space."""


@dataclass(frozen=True)
class Laid:
    """One fault at the nth statement: of the story, or, for the second of a story, after the first fault."""

    what: What
    nth: int

    def __str__(self) -> str:
        return f"{self.what} at statement {self.nth}"


@dataclass(frozen=True)
class Cycle:
    """The faults of one story, one after the other: the second befalls what goes on after the first."""

    laid: Sequence[Laid]

    def __str__(self) -> str:
        return ", then ".join(str(each) for each in self.laid)


def plan(seed: int, faults: int, statements: int) -> list[Cycle]:
    """So many faults; the cuts are spread evenly over the statements that a story has when nothing goes wrong."""
    random = Random(seed)
    rare: list[What] = [each for each, of_30 in _OFTEN.items() for _ in range(max(1, faults * of_30 // 30))]
    rare += ["no space"] * (faults // 10)
    cuts = faults - len(rare)
    firsts: list[Laid] = []
    for number in range(cuts):
        nth = 1 + number // 2 * statements // ((cuts + 1) // 2)
        firsts.append(Laid("cut before" if number % 2 else "cut after", nth))
    firsts += [Laid(each, random.randint(1, statements)) for each in rare]
    random.shuffle(firsts)
    half = (len(firsts) + 1) // 2
    cycles = [Cycle((each,)) for each in firsts[:half]]
    for number, each in enumerate(firsts[half:]):
        # Only what is left of the way after the first fault can be befallen by the second.
        left = max(1, (statements - cycles[number].laid[0].nth) // 2)
        cycles[number] = Cycle((*cycles[number].laid, Laid(each.what, 1 + each.nth % left)))
    return cycles
