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

    def told(self) -> None:
        """Print what came to nothing, for whoever reads the log of a proof that passed."""
        for sentence in self.invalid:
            print(f"did not fire: {sentence}")

    def judge(self, faults: int, most_invalid: float) -> None:
        """Fails on any violation, on fewer than these faults, and on too many that came to nothing."""
        assert not self.violations, "\n".join(self.violations)
        assert self.fired >= faults, f"{self.fired} faults of {faults}"
        assert len(self.invalid) <= most_invalid * faults, "\n".join(self.invalid)

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
