"""The emulator's own scheduler: what is due when, in real time or as a clock is moved by hand."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from remediator.sandbox.kubernetes.clock import Clock, CurrentMoment, DrivenClock

Outcome = TypeVar("Outcome")


@dataclass(order=True)
class Due:
    """Something that runs once, when its moment has come."""

    at: datetime
    order: int
    run: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Never run it."""
        self.cancelled = True


class Loop:
    """Calls in the order of their due moments; `clock` says the moment of the call that runs, else the time."""

    def __init__(self, clock: Clock) -> None:
        self.clock = CurrentMoment(clock)
        self._heap: list[Due] = []
        self._order = itertools.count()
        self._woken = asyncio.Event()

    def after(self, seconds: float, run: Callable[[], None]) -> Due:
        """Run `run` in `seconds` by the emulator's clock."""
        due = Due(self.clock.now() + timedelta(seconds=seconds), next(self._order), run)
        heapq.heappush(self._heap, due)
        self._woken.set()
        return due

    async def outcome_after(self, seconds: float, run: Callable[[], Outcome]) -> Outcome:
        """What `run` returns, run in `seconds`; not at all if the caller is cancelled before."""
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        due = self.after(seconds, lambda: done.set_result(run()))
        try:
            return await done
        finally:
            due.cancel()

    def run_due(self) -> bool:
        """Run the next call if its moment has come; whether one ran. Inside a call nothing runs: it has its turn."""
        if self.clock.is_standing:
            return False
        at = self.next_at()
        if at is None or at > self.clock.outer.now():
            return False
        due = heapq.heappop(self._heap)
        with self.clock.standing_at(due.at):
            due.run()
        return True

    def settle(self) -> None:
        """Run everything that is due, and what that makes due."""
        while self.run_due():
            pass

    async def catch_up(self) -> None:
        """The same; watchers and waiting requests get their turn after each call."""
        while self.run_due():  # noqa: ASYNC110 -- nothing is waited for: the others are given their turn
            await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def advance(self, clock: DrivenClock, seconds: float) -> None:
        """Move `clock` on by `seconds`, stopping at every due moment on the way."""
        goal = clock.now() + timedelta(seconds=seconds)
        while (at := self.next_at()) is not None and at <= goal:
            clock.move_to(max(at, clock.now()))
            await self.catch_up()
        clock.move_to(goal)
        await asyncio.sleep(0)

    async def run_forever(self) -> None:
        """Run calls as real time passes; for a clock that moves by itself."""
        while True:
            self._woken.clear()
            await self.catch_up()
            at = self.next_at()
            seconds = None if at is None else (at - self.clock.outer.now()).total_seconds()
            with suppress(TimeoutError):
                # wait_for of Python 3.11 forgets that it was cancelled in the moment in which what it waits for comes.
                async with asyncio.timeout(seconds):
                    await self._woken.wait()

    def next_at(self) -> datetime | None:
        """When the next call is due; None when none will be."""
        while self._heap and self._heap[0].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0].at if self._heap else None
