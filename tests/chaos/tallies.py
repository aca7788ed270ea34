"""What many stories did, added up, when two processes live through them."""

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

PROCESSES = 2

Job = TypeVar("Job")


@dataclass
class Tally:
    """What the cycles of one proof did."""

    hit: Counter[str] = field(default_factory=Counter)
    """How often each kind of fault hit somebody."""
    endings: Counter[str] = field(default_factory=Counter)
    invalid: list[str] = field(default_factory=list)
    """Faults that came to nothing: of them nothing is proven."""
    violations: list[str] = field(default_factory=list)

    @property
    def fired(self) -> int:
        return self.hit.total()

    def add(self, other: "Tally") -> None:
        self.hit += other.hit
        self.endings += other.endings
        self.invalid += other.invalid
        self.violations += other.violations


def summed(live: Callable[[Job], Tally], jobs: Iterable[Job]) -> Tally:
    """Each job in a new process, two at a time."""
    tally = Tally()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=spawn) as pool:
        for each in pool.map(live, jobs):
            tally.add(each)
    return tally
