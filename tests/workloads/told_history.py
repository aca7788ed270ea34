"""Random revision histories, and what a careful person would say of them: an oracle that knows only what happened.

It shares nothing with the code it judges: no ReplicaSets, no tenures, only the list of what happened.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from random import Random

SOAK_MINUTES = 30
OLDEST_DAYS = 14
_NAMES = [f"v{number}" for number in range(1, 11)]


@dataclass(frozen=True)
class Stay:
    """A template becomes the current one, and stays it for a while."""

    name: str
    stamp: str | None
    minutes: int
    healthy: bool
    alert: bool
    remembered: bool


@dataclass(frozen=True)
class History:
    """One to ten revisions, the last of which is the current one."""

    stays: Sequence[Stay]
    without_image: Collection[str] = field(default_factory=frozenset)
    """Versions whose image is gone from the registry."""
    without_config: Collection[str] = field(default_factory=frozenset)
    """Versions that need a ConfigMap which no longer exists."""

    @property
    def current(self) -> str:
        return self.stays[-1].name

    def certainly_good(self) -> list[str]:
        """Versions that must be gone back to if no newer one is good; the newest last."""
        return [each for each in self._by_last_stay() if self._good(each) and not self._left_unseen(each)]

    def possibly_good(self) -> set[str]:
        """Versions that may be gone back to without asking anybody."""
        return {each for each in self._by_last_stay() if self._good(each)}

    def last_stay(self, name: str) -> int:
        return max(index for index, each in enumerate(self.stays) if each.name == name)

    def _by_last_stay(self) -> list[str]:
        return sorted({each.name for each in self.stays} - {self.current}, key=self.last_stay)

    def _good(self, name: str) -> bool:
        mine = [(index, each) for index, each in enumerate(self.stays) if each.name == name]
        left = self._left(name)
        soaked = [
            each
            for index, each in mine
            if each.remembered and each.healthy and each.minutes >= SOAK_MINUTES and index > left
        ]
        since = sum(each.minutes for each in self.stays[self.last_stay(name) + 1 :])
        return (
            bool(soaked)
            and not any(each.alert for _, each in mine)
            and since <= OLDEST_DAYS * 24 * 60
            and name not in self.without_image
            and name not in self.without_config
        )

    def _left(self, name: str) -> int:
        """The last stay of a version that is older than this one and came after it; -1 when there is none."""
        first = self._first(name)
        back = [
            index
            for index, each in enumerate(self.stays)
            if index > first and each.name != name and self._first(each.name) < first
        ]
        return max(back, default=-1)

    def _left_unseen(self, name: str) -> bool:
        left = self._left(name)
        return left >= 0 and not self.stays[left].remembered

    def _first(self, name: str) -> int:
        return next(index for index, each in enumerate(self.stays) if each.name == name)


def random_history(seed: int) -> History:
    """Good, bad and unknown versions, restarts, people going back, missing images and ConfigMaps."""
    chance = Random(seed)
    remembered_from = chance.choice([0, 0, 0, 1, 3])
    stays: list[Stay] = []
    for index in range(chance.randint(1, 10)):
        name = chance.choice(_NAMES[: index + 1]) if chance.random() < 0.3 else _NAMES[index]
        remembered = index >= remembered_from
        stays.append(
            Stay(
                name=name,
                stamp=chance.choice([None, None, None, f"{10 + index}:00"]),
                minutes=chance.choice([1, 5, 29, 31, 31, 60, 600, 5 * 24 * 60]),
                healthy=chance.random() < 0.7,
                alert=remembered and chance.random() < 0.2,
                remembered=remembered,
            )
        )
    names = sorted({each.name for each in stays})
    return History(
        stays,
        without_image=frozenset(each for each in names if chance.random() < 0.1),
        without_config=frozenset(each for each in names if chance.random() < 0.1),
    )
