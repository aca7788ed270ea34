"""The faults of a database, and how they are spread over the statements on the way of an alert."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

What = Literal[
    "cut before", "cut after", "no space", "restart", "read-only", "no connection left", "pool exhausted"
]
_OFTEN: dict[What, int] = {"restart": 1, "read-only": 1, "no connection left": 1, "pool exhausted": 1}
"""In 30 faults; of the rest most are cuts, and a few no space."""
COMMIT = "COMMIT"
KINDS = frozenset({*get_args(What), f"cut after {COMMIT}"})


@dataclass(frozen=True)
class Laid:
    """One fault at the nth statement: of the story, or, for the second of a story, after the first fault."""

    what: What
    nth: int
    text: str = ""
    """Only statements that contain it count."""

    @property
    def kind(self) -> str:
        """What is counted: of cuts also whether they were behind a COMMIT."""
        return f"{self.what} {self.text}".strip()

    def __str__(self) -> str:
        return f"{self.what} at {self.text or 'statement'} {self.nth}"


@dataclass(frozen=True)
class Cycle:
    """The faults of one story, one after the other: the second befalls what goes on after the first."""

    laid: Sequence[Laid]

    def __str__(self) -> str:
        return ", then ".join(str(each) for each in self.laid)


def plan(seed: int, faults: int, way: Sequence[str]) -> list[Cycle]:
    """So many faults on the way of a story in which nothing goes wrong, given as its statements.

    First a cut behind every COMMIT, whose client cannot know what became of it; then cuts, before and after in turn,
    evenly spread over all statements.
    """
    random = Random(seed)
    statements = len(way)
    rare: list[What] = [each for each, of_30 in _OFTEN.items() for _ in range(max(1, faults * of_30 // 30))]
    rare += ["no space"] * (faults // 10)
    behind = [Laid("cut after", nth, COMMIT) for nth in range(1, 1 + sum(COMMIT in each for each in way))]
    spread = faults - len(rare) - len(behind)
    firsts = [
        Laid("cut before" if number % 2 else "cut after", 1 + number * statements // spread)
        for number in range(spread)
    ]
    firsts += [Laid(each, random.randint(1, statements)) for each in rare]
    random.shuffle(firsts)
    half = (len(behind) + len(firsts) + 1) // 2
    # What counts COMMITs is the first of its story: where a second one begins to count nobody knows.
    firsts = [*behind, *firsts]
    cycles = [Cycle((each,)) for each in firsts[:half]]
    for number, each in enumerate(firsts[half:]):
        # Only what is left of the way after the first fault can be befallen by the second.
        left = max(1, (statements - _place(cycles[number].laid[0], way)) // 2)
        cycles[number] = Cycle((*cycles[number].laid, Laid(each.what, 1 + each.nth % left)))
    random.shuffle(cycles)
    return cycles


def _place(laid: Laid, way: Sequence[str]) -> int:
    """Which statement of the way it befalls, counted from 1."""
    return [number for number, each in enumerate(way, 1) if laid.text in each][laid.nth - 1]
