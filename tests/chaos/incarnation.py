"""One life of a daemon: a forked process that works when it is told to, until its fault point ends it.

It has everything of a real one, real connections, a real database and a real socket alerts are posted to; only the
time is told to it, and its loops take turns instead of running side by side.
"""

import asyncio
import gc
import json
import os
import signal
import socket
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn

from remediator.app import assembled, collaborators
from remediator.daemon import Daemon
from remediator.fault_points import Fault, FaultPoint, Reached, arm
from remediator.settings.load import Settings
from remediator.store.database import DATABASE_ERRORS
from remediator.supervise import Bell
from remediator.web.listen import listening
from remediator.web.server import make_application
from tests.chaos.unforeseen import answers_without_cause
from tests.support.clock import DrivenClock


class ToldClock(DrivenClock):
    """A clock that stands where its parent says."""

    def stand_at(self, passed: float) -> None:
        """So many seconds have passed since the beginning."""
        self._passed = timedelta(seconds=passed)


@dataclass
class Child:
    """The parent's side of one process that is forked and waits for what to do."""

    pid: int
    control: socket.socket
    ended: int | None = None
    """The status it ended with."""

    def reap(self) -> int:
        """How it ended: wait for that."""
        if self.ended is None:
            _, self.ended = os.waitpid(self.pid, 0)
            self.control.close()
        return self.ended

    @property
    def was_killed(self) -> bool:
        """By its fault point: nothing else sends SIGKILL to it while it is asked."""
        status = self.reap()
        return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL

    def end(self) -> None:
        """It is not needed any more."""
        if self.ended is None:
            os.kill(self.pid, signal.SIGKILL)
            self.reap()


def fork(number: int) -> list[Child]:
    """So many processes. Nothing may run in the event loop of this one yet, and it may have no other thread."""
    gc.freeze()
    children: list[Child] = []
    for _ in range(number):
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            for earlier in children:
                earlier.control.close()
            _live(theirs)
        theirs.close()
        children.append(Child(pid, ours))
    return children


def _live(control: socket.socket) -> NoReturn:
    status = 1
    try:
        asyncio.run(_work(control))
        status = 0
    finally:
        os._exit(status)


async def _work(control: socket.socket) -> None:
    told, answers = await asyncio.open_connection(sock=control)
    first = await told.readline()
    if not first:
        return
    begin = json.loads(first)
    counted: Counter[FaultPoint] = Counter()
    arm(_fault(begin["fault"], counted))
    clock = ToldClock()
    clock.stand_at(begin["passed"])
    async with assembled(Settings.model_validate(begin["settings"]), clock) as daemon:
        await daemon.rules.reload()
        application = make_application(collaborators(daemon, Bell()))
        async with listening(application, "127.0.0.1:0") as url:
            _answer(answers, {"url": url})
            while order := await told.readline():
                asked = json.loads(order)
                clock.stand_at(asked["passed"])
                if "fault" in asked:
                    arm(_fault(asked["fault"], counted))
                    _answer(answers, {})
                    continue
                failures = await _work_until_idle(daemon, watch=asked["watch"])
                reached = {point.name: times for point, times in counted.items()}
                _answer(answers, {"reached": reached, "failures": answers_without_cause(failures)})
            os._exit(0)


def _fault(said: str | None, counted: Counter[FaultPoint]) -> Reached:
    """What to do at each point: what is said, or else count."""
    return Fault.of(said) if said else lambda point: counted.update([point])


def _answer(answers: asyncio.StreamWriter, said: dict[str, Any]) -> None:
    answers.write(json.dumps(said).encode() + b"\n")


async def _work_until_idle(daemon: Daemon, *, watch: bool) -> list[Exception]:
    """Every loop, in the order of the way of an alert, until none has anything to do at this moment; what failed."""
    failures: list[Exception] = []
    ticks = [daemon.reader.tick, daemon.planner.tick, daemon.worker.tick, daemon.courier.tick]
    if watch:
        ticks = [daemon.watcher.tick, daemon.switches.tick, daemon.reconciler.tick, *ticks]
    again = True
    while again:
        again = False
        for tick in ticks:
            try:
                while await tick():
                    again = True
            except DATABASE_ERRORS as reason:
                again = False  # as its loop takes it: the next unit of work, a moment later
                failures.append(reason)
        ticks = ticks[-4:]
    return failures
