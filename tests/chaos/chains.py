"""Which daemon of a story is killed where: chains of fault points that can really follow each other.

A daemon that recovers starts again from what was committed, so that after each point some can be reached and
others cannot any more. Each two neighbours of a chain are a pair: the second crash comes while a daemon recovers
from the first.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from remediator.fault_points import FaultPoint
from tests.chaos.fork_server import Task

_INGEST = ("J01", "J02", "J03", "J04", "J05", "J06")
_PLAN = ("J07", "J08", "J09")
_LOOK = ("J10", "J11", "J12", "J13", "J14", "J15", "J16")
_FENCE = ("J20", "J15", "J21", "J22", "J23", "J24", "J25", "J26", "J27", "J28", "J29", "J30")
_VERIFY = ("J31", "J34", "J32")
_END = ("J35", "J36", "J34", "J37")

WAYS: dict[str, tuple[str, ...]] = {
    "rollback": (*_INGEST, "J37", *_PLAN, *_LOOK, *_FENCE, *_VERIFY, *_END),
    "restart": (*_INGEST, *_PLAN, "J37", *_LOOK, *_FENCE, *_VERIFY, *_END),
    "asked": (*_INGEST, *_PLAN, *_LOOK, "J17", "J18", "J19", *_FENCE, *_VERIFY, *_END),
    "paused": (*_INGEST, *_PLAN, *_LOOK, "J17", "J18", "J19", *_FENCE, *_VERIFY, *_END),
    "stays": (*_INGEST, *_PLAN, *_LOOK, *_FENCE, "J31", "J34", "J32", "J33", *_END),
    "renews": (*_INGEST, *_PLAN, *_LOOK, "J20", "J38", "J39", "J40", *_FENCE[2:], *_VERIFY, *_END),
}
"""The order in which a daemon that nobody kills reaches the points of each story."""

_AGAIN_FROM = {
    **dict.fromkeys(("J01", "J02", "J03", "J04", "J05"), "J01"),
    "J07": "J07",
    "J08": "J08",
    "J09": "J08",
    "J10": "J10",
    "J11": "J10",
    "J12": "J10",
    "J14": "J14",
    "J17": "J17",
    "J19": "J19",
    **dict.fromkeys(_FENCE, "J20"),
    **dict.fromkeys(("J38", "J39", "J40"), "J20"),
    "J31": "J31",
    "J32": "J31",
    "J33": "J31",
    "J35": "J31",
}
"""Where the way begins anew for the daemon after one that was killed there; else it goes on behind it."""

_OF_INTENT, _OF_SENDING = ("J23", "J24", "J25"), ("J26", "J27", "J28", "J29")
_TWICE = ("J01", "J02", "J06", "J11")
"""Reached several times in one life: several requests come at once, and there are several diagnostics."""


@dataclass
class Chains:
    """Makes chains, each of the points (or, where those are sought, the pairs) that were made least so far."""

    rng: random.Random
    seek_pairs: bool = False
    points: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)

    def tasks(self, number: int, kills: int) -> Iterator[Task]:
        """So many stories, each with about so many kills."""
        for _ in range(number):
            story = min(WAYS, key=lambda name: (self._least(WAYS[name]), self.rng.random()))
            chain = self._chain(WAYS[story], kills)
            faults = tuple(f"{each}:kill{self._times(story, each)}" for each in chain)
            yield Task(story, faults, self.rng.randrange(2**31))

    def _least(self, way: Sequence[str]) -> int:
        return min(self.points[each] for each in way)

    def _times(self, story: str, point: str) -> str:
        twice = point in _TWICE and (point != "J11" or story == "rollback") and self.rng.random() < 0.3
        return ":2" if twice else ""

    def _chain(self, way: Sequence[str], kills: int) -> list[str]:
        chain: list[str] = []
        at = 0
        while len(chain) < kills:
            pace = len(way) * len(chain) / kills
            ahead = [
                place
                for place in range(at, len(way))
                if pace - 4 <= place <= pace + 4 and _may(way[place], chain)
            ]
            if not ahead:
                at = max(at, int(pace))
                if not any(_may(each, chain) for each in way[at:]):
                    break
                ahead = [next(place for place in range(at, len(way)) if _may(way[place], chain))]
            last = chain[-1] if chain else ""
            place = min(ahead, key=lambda each: self._made(last, way[each]))
            self.points[way[place]] += 1
            self.pairs[last, way[place]] += 1
            chain.append(way[place])
            at = self._again(way, place)
        return chain

    def _made(self, last: str, point: str) -> tuple[int, int, float]:
        of_pair = self.pairs[last, point] if self.seek_pairs else 0
        return (of_pair, self.points[point], self.rng.random())

    @staticmethod
    def _again(way: Sequence[str], place: int) -> int:
        """Where in the way the next daemon begins."""
        point = way[place]
        again = "J14" if point == "J15" and place < way.index("J20") else _AGAIN_FROM.get(point)
        return place + 1 if again is None else way.index(again)


def _may(point: str, chain: Sequence[str]) -> bool:
    """Whether it can still be reached after those of the chain: an intent is made once, and sent at most twice."""
    if point in _OF_INTENT and any(each in ("J24", "J25", *_OF_SENDING, "J30") for each in chain):
        return False
    if point in _OF_SENDING:
        return chain.count("J26") < 2 and not any(each in ("J27", "J28", "J29", "J30") for each in chain)
    if point in ("J20", "J15", "J21", "J22", "J38", "J39", "J40") and "J31" in chain:
        return False
    if point in ("J21", "J22", "J38", "J39", "J40"):
        return not any(each in ("J27", "J28", "J29", "J30") for each in chain)
    if point == "J30":
        return "J30" not in chain and chain.count("J26") < 2
    return not (point == "J36" and "J36" in chain)


def every_pair(rng: random.Random) -> tuple[list[Task], list[tuple[str, str]]]:
    """A story for each ordered pair of all points; and the pairs of which no story has both."""
    tasks, none = [], []
    points = list(FaultPoint.__members__)
    for first in points:
        for second in points:
            stories = [name for name, way in WAYS.items() if first in way and second in way]
            if stories:
                faults = (f"{first}:kill", f"{second}:kill")
                tasks.append(Task(rng.choice(stories), faults, rng.randrange(2**31)))
            else:
                none.append((first, second))
    return tasks, none
