"""Who waits for whom: the sessions of a database as trees, whoever holds up most on top. Pure."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Place(NamedTuple):
    """One session's place in the trees."""

    pid: int
    depth: int
    """0 for who waits for nobody of them."""
    holds_up: int
    """How many wait below it."""


def blocking_trees(blocked_by: Mapping[int, Sequence[int]]) -> list[Place]:
    """Every session that waits, and those it waits for, from the tops down; each once.

    `blocked_by` names whom each waiting session waits for. Who waits for several stands below the one nearest to a
    top. Of sessions that wait for each other in a circle the lowest number is the top.
    """
    waiting = {pid: sorted(set(blockers) - {pid}) for pid, blockers in blocked_by.items() if blockers}
    below: dict[int, list[int]] = {}
    for pid, blockers in sorted(waiting.items()):
        for blocker in blockers:
            below.setdefault(blocker, []).append(pid)
    children: dict[int, list[int]] = {}
    placed: set[int] = set()
    tops = sorted(each for each in below if each not in waiting)
    _place(tops, below, children, placed)
    for pid in sorted(waiting):  # what is left hangs on no top: a circle
        if pid not in placed:
            tops.append(pid)
            _place([pid], below, children, placed)
    sizes: dict[int, int] = {}
    for pid in _downwards(tops, children)[::-1]:
        sizes[pid] = sum(1 + sizes[each] for each in children.get(pid, ()))
    return _in_order(tops, children, sizes)


def _place(
    tops: Iterable[int], below: Mapping[int, list[int]], children: dict[int, list[int]], placed: set[int]
) -> None:
    """Breadth first, so that everybody stands as near to a top as can be."""
    placed.update(tops)
    queue = deque(tops)
    while queue:
        pid = queue.popleft()
        for each in below.get(pid, ()):
            if each not in placed:
                placed.add(each)
                children.setdefault(pid, []).append(each)
                queue.append(each)


def _downwards(tops: Sequence[int], children: Mapping[int, list[int]]) -> list[int]:
    """Every session, each behind the one it stands below."""
    order = list(tops)
    for pid in order:
        order.extend(children.get(pid, ()))
    return order


def _in_order(
    tops: Sequence[int], children: Mapping[int, list[int]], sizes: Mapping[int, int]
) -> list[Place]:
    """Depth first, who holds up most first."""
    found: list[Place] = []
    stack = [(pid, 0) for pid in sorted(tops, key=lambda pid: (sizes[pid], -pid))]
    while stack:
        pid, depth = stack.pop()
        found.append(Place(pid, depth, sizes[pid]))
        below = sorted(children.get(pid, ()), key=lambda each: (sizes[each], -each))
        stack += [(each, depth + 1) for each in below]
    return found
