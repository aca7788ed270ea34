"""The world of one story: what outlives the daemons that are killed in it, and the time all of them share."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import aiohttp
import asyncpg

from remediator.clock import SystemClock
from remediator.sandbox.alertmanager import Alertmanager
from remediator.sandbox.kubernetes import Emulator
from remediator.sandbox.kubernetes.store import Change
from tests.chaos.history import Expected, History, Ready, Told, told
from tests.chaos.incarnation import Child
from tests.chaos.reading import read
from tests.chaos.stories import RULES, SETTINGS
from tests.support.clock import DrivenClock

TOKEN = "chaos-token"
LEASE_SECONDS = 15.0
_PATIENCE = 12
"""Times that a daemon has had nothing more to do, until the fault it waits for is taken not to come."""
_LONGEST_SECONDS = 30.0
"""Of real time, for one thing that a daemon is told to do."""


class Hung(Exception):
    """A daemon has neither answered nor ended."""


class ClusterClock(DrivenClock):
    """The time of a cluster that is prepared beside one database and used beside another."""

    def belongs_to(self, database: Any) -> None:
        self._database = database


class World:
    """A cluster, an Alertmanager, a database, and one daemon at a time."""

    def __init__(
        self,
        directory: Path,
        database_url: str,
        emulator: Emulator,
        clock: ClusterClock,
        children: Sequence[Child],
        faults: Sequence[str],
    ) -> None:
        """Each child but the last is given one of `faults`, in order."""
        self.directory, self.database_url = directory, database_url
        self.emulator, self.clock = emulator, clock
        self.alertmanager = Alertmanager(clock=clock.now)
        self._reached: dict[int, Counter[str]] = {}
        self.killed_at: list[str] = []
        self.fired: list[bool] = []
        """Of each fault in order, so far, whether it killed; one that was waited for in vain did not."""
        self.failures: list[str] = []
        """What units of work failed with that nothing here explains."""
        self._in_vain = 0
        self.acknowledged: list[Told] = []
        self._left = list(zip(children, [*faults, None], strict=True))
        self._living: tuple[Child, str | None] | None = None
        self._url = ""
        self._ready: list[Ready] = []
        self._arrived: dict[int, datetime] = {}
        self.before_life: Callable[[str | None], None] = lambda _: None
        """Called with what the next daemon waits for, before it is told to begin."""
        self._faults_ended_at = clock.now()
        self.engine: dict[str, str] = {}
        """Settings of its daemons that a story wants to be other than usual."""
        self.theft: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self.database = await asyncpg.connect(self.database_url)
        (self.directory / "token").write_text(TOKEN)
        (self.directory / "rules.yaml").write_text(RULES)
        self.emulator._store.listen(self._see)
        await self.emulator.start()
        self.emulator.kubeconfig(self.directory / "kubeconfig", token="kube-token")
        await self.alertmanager.start()
        self.alertmanager.fire({"alertname": "Watchdog"})
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.alertmanager.stop()
        await self.emulator.stop()
        await self.database.close()

    def _see(self, change: Change) -> None:
        if change.key.plural in ("deployments", "statefulsets"):
            status = change.after.get("status") or {}
            target = f"{change.key.plural[:-1]}/{change.key.namespace}/{change.key.name}"
            self._ready.append(Ready(len(self.emulator.effects), target, status.get("readyReplicas", 0)))
        self._arrived.setdefault(change.version, SystemClock().now())

    # -- what a story is told with --------------------------------------------------------------------------

    @property
    def next_fault(self) -> str | None:
        """What the daemon that lives now, or comes next, waits for."""
        living = self._living or (self._left[0] if self._left else None)
        return living[1] if living else None

    async def deliver(self) -> None:
        """Alertmanager posts everything that is due until all of it is acknowledged."""
        waiting = self.alertmanager.notifications()
        while waiting:
            await self._somebody_lives()
            url = f"{self._url}/api/v1/alertmanager"
            answers = await self.alertmanager.deliver(url, token=TOKEN, notifications=waiting)
            done = [each.notification for each in answers if each.status == 200]
            self.acknowledged += [one for each in done for one in told(each)]
            waiting = [each.notification for each in answers if each.status != 200]
            if any(each.status is None for each in answers):
                await self._ended()

    async def post(self, path: str, body: dict[str, Any]) -> int | None:
        """A person asks the daemon; the status it answers, None when it died."""
        await self._somebody_lives()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        try:
            async with (
                aiohttp.ClientSession(headers=headers) as session,
                session.post(self._url + path, json=body) as answer,
            ):
                return answer.status
        except aiohttp.ClientError:
            await self._ended()
            return None

    async def work(self, *, watch: bool = False) -> None:
        """A daemon works until it has nothing to do at this moment; those that die at it are followed by others."""
        while True:
            await self._somebody_lives()
            looks = watch or (self.next_fault or "").startswith("J37")
            answer = await self._ask({"watch": looks})
            if answer is not None:
                await self._wait_for_the_next_if_in_vain()
                self._reached[len(self._left)] = Counter(answer["reached"])
                self.failures += answer["failures"]
                return
            await self.advance(LEASE_SECONDS + 1)

    async def _wait_for_the_next_if_in_vain(self) -> None:
        """A fault that does not come is invalid, and must not keep those behind it from coming."""
        assert self._living is not None
        child, fault = self._living
        self._in_vain += 1
        if fault is None or self._in_vain < _PATIENCE:
            return
        self.fired.append(False)
        # The child that would have come next lives now, so one is left over; it is ended with all others.
        _, following = self._left.pop(0)
        self._living = (child, following)
        self._in_vain = 0
        self.before_life(following)
        await self._ask({"fault": following})

    async def advance(self, seconds: float) -> None:
        """Time passes, for the cluster and the database as well."""
        self.clock._passed += timedelta(seconds=seconds)
        await self.database.execute("update test_clock set at = $1", self.clock.now())
        await self.emulator.catch_up()

    async def history(self, expected: Expected) -> History:
        """All that happened."""
        versions = {
            each.sequence: self._arrived[int(each.after["metadata"]["resourceVersion"])]
            for each in self.emulator.effects
            if each.after and int(each.after["metadata"]["resourceVersion"]) in self._arrived
        }
        return await read(
            self.database,
            self.emulator.effects,
            self.acknowledged,
            expected,
            ready=self._ready,
            arrived=versions,
        )

    @property
    def reached(self) -> Counter[str]:
        """How often daemons that waited for no fault reached each point."""
        return sum(self._reached.values(), Counter())

    @property
    def faults_ended_at(self) -> datetime:
        """When the last daemon was killed, or else when all began."""
        return self._faults_ended_at.astimezone(UTC)

    # -- one daemon after the other -------------------------------------------------------------------------

    async def _somebody_lives(self) -> None:
        while self._living is None:
            child, fault = self._left.pop(0)
            self._living = (child, fault)
            self._in_vain = 0
            self.before_life(fault)
            answer = await self._ask({"settings": self._settings(), "fault": fault})
            if answer is not None:
                self._url = answer["url"]

    async def _ask(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        """What the daemon answers; None when it was killed by its fault. Raises Hung."""
        assert self._living is not None
        child, _ = self._living
        loop = asyncio.get_running_loop()
        child.control.setblocking(False)
        passed = (self.clock.monotonic()) - 1000.0
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                await loop.sock_sendall(
                    child.control, json.dumps({"passed": passed, **asked}).encode() + b"\n"
                )
                said = b""
                while not said.endswith(b"\n"):
                    more = await loop.sock_recv(child.control, 65536)
                    if not more:
                        await self._ended()
                        return None
                    said += more
        except TimeoutError:
            raise Hung(f"no answer within {_LONGEST_SECONDS:g} s to {asked}") from None
        except ConnectionError:
            await self._ended()
            return None
        answer: dict[str, Any] = json.loads(said)
        return answer

    async def _ended(self) -> None:
        """The daemon is dead, by its fault and nothing else."""
        if self._living is None:
            return
        child, fault = self._living
        self._living = None
        if not child.was_killed or fault is None:
            raise Hung(f"a daemon ended by itself with status {child.ended}, waiting for {fault}")
        self.fired.append(True)
        self.killed_at.append(fault.partition(":")[0])
        self._faults_ended_at = self.clock.now()

    def _settings(self) -> dict[str, Any]:
        token = str(self.directory / "token")
        return {
            **SETTINGS,
            "database_url": self.database_url,
            "rules": [str(self.directory / "rules.yaml")],
            "listen_address": "127.0.0.1:0",
            "kubernetes": {"kubeconfig": str(self.directory / "kubeconfig"), "namespaces": ["shop"]},
            "alertmanagers": {"urls": [self.alertmanager.url]},
            "intake": {"token_file": token},
            "people": [{"name": "kim", "token_file": token, "roles": ["view", "operate", "approve"]}],
            "engine": {**SETTINGS["engine"], **self.engine},
        }
