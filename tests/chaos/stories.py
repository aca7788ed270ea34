"""What happens in the world while daemons are killed: one story for each way through the fault points."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import ApplyLate, Hold
from remediator.sandbox.kubernetes.request import Call
from tests.support.story import ALERT

if TYPE_CHECKING:
    from tests.chaos.world import World

RULES = """
defaults: {mode: act}
rules:
  - rule: bad-release
    match: ['{alertname="HighErrorRate"}']
    diagnostics: [pods, rollout_history]
    actions: [{rollback: {soak: 5m}}]
    verifications: VERIFIED
  - rule: hung
    match: ['{alertname="Hung"}']
    diagnostics: [pods]
    actions: [restart]
    verifications: VERIFIED
  - rule: asked-for
    mode: ask
    match: ['{alertname="Leaking"}']
    diagnostics: [pods]
    actions: [restart]
    verifications: VERIFIED
""".replace("VERIFIED", "[{rollout_complete: {within: 5m}}, {alert_cleared: {for: 10s, within: 2m}}]")
SETTINGS: dict[str, Any] = {"probation": "0s", "engine": {"verify_every": "10s", "hold": "10s"}}
OVER = ("RESOLVED", "BLOCKED", "DECLINED", "CANCELLED", "ESCALATED", "UNKNOWN")
_MOST_STEPS = 40
_STEP_SECONDS = 16.0
_LIVELY_AFTER = timedelta(seconds=62)
_LOST = ("J26", "J27")
"""A change that a daemon died over here may never arrive."""
_MOST_SENDS = 2
"""After so many people have to take over."""
_PAUSED_FOR = timedelta(seconds=50)
_PAUSED_FOR_A_WHILE = "select count(*) = 1 from pauses where cleared_at - starts_at >= interval '30 s'"
_WORKLOAD = "/deployments/api$"


@dataclass(frozen=True)
class Story:
    """An alert, and what becomes of it."""

    alertname: str
    ends: str
    clears: bool = True
    asks: bool = False
    pauses: bool = False
    """Before somebody agrees, somebody pauses the namespace, and ends that a while later."""
    renews: bool = False
    """Its leases are so short that they are renewed while a claim is held up."""

    @property
    def labels(self) -> dict[str, str]:
        return {**ALERT, "alertname": self.alertname}

    async def told(self, world: World, rng: random.Random) -> None:
        """From the alert to the end of its run, and a while longer. Raises AssertionError when that never comes."""
        world.alertmanager.fire(self.labels)
        world.alertmanager.fire({"alertname": "Elsewhere", "number": str(rng.randrange(9))})
        if self.renews:
            world.engine = {"lease": "900ms"}
        world.before_life = lambda fault: _slow_server(world, fault, rng)
        await world.deliver()
        people = _People(self, world)
        for _ in range(_MOST_STEPS):
            await world.work()
            state = await _state(world)
            if state in OVER:
                break
            if not await people.see(state):
                await world.advance(_STEP_SECONDS)
        await world.work(watch=True)
        while world.clock.now() <= world.faults_ended_at + _LIVELY_AFTER:
            await world.advance(31)
            await world.work(watch=True)

    async def ended_as_it_should(self, world: World, effects: int) -> str | None:
        """What is wrong with how it ended, after so many real changes."""
        state = await _state(world)
        lost = sum(each in _LOST for each in world.killed_at) >= _MOST_SENDS
        allowed = {(self.ends, 1)} | ({("ESCALATED", 0)} if lost else set())
        if (state, effects) not in allowed:
            expected = " or ".join(f"{end} with {times}" for end, times in sorted(allowed))
            return f"the run ended {state} with {effects} effects, not {expected}"
        if self.pauses and not await world.database.fetchval(_PAUSED_FOR_A_WHILE):
            return "nobody paused and resumed, so that nothing is proven of it"
        return None


@dataclass
class _People:
    """What people do while a story goes on."""

    story: Story
    world: World
    acted: bool = False
    paused: bool = False
    resume_at: datetime | None = None

    async def see(self, state: str | None) -> bool:
        """Do what this state calls for; whether something was done that can be worked at before time passes."""
        now = self.world.clock.now()
        if self.resume_at is not None and now >= self.resume_at:
            await self._until_told("/api/v1/pauses/chaos/resume", {"why": "go on"}, (200, 404))
            self.resume_at = None
        if state == "CLEARED" and self.story.asks:
            if self.story.pauses and not self.paused:
                self.paused, self.resume_at = True, now + _PAUSED_FOR
                pause = {"scope": "namespace", "value": "shop", "name": "chaos", "why": "a release"}
                await self._until_told("/api/v1/pauses", pause, (201, 409))
            return await _agree(self.world)
        if state == "ACTED" and not self.acted:
            self.acted = True
            if self.story.clears:
                self.world.alertmanager.resolve(self.story.labels)
                await self.world.deliver()
        return False

    async def _until_told(self, path: str, body: dict[str, str], done: Collection[int]) -> None:
        """Again when the daemon died over it: the second answer is then that it is done already."""
        while (status := await self.world.post(path, body)) not in done:
            assert status is None, status


STORIES = {
    "rollback": Story("HighErrorRate", "RESOLVED"),
    "restart": Story("Hung", "RESOLVED"),
    "asked": Story("Leaking", "RESOLVED", asks=True),
    "stays": Story("Hung", "ESCALATED", clears=False),
    "paused": Story("Leaking", "RESOLVED", asks=True, pauses=True),
    "renews": Story("Hung", "RESOLVED", renews=True),
}


async def _state(world: World) -> str | None:
    found: str | None = await world.database.fetchval("select state from runs order by id desc limit 1")
    return found


async def _agree(world: World) -> bool:
    """Whether there was something to agree to."""
    asked = await world.database.fetchrow(
        "select run_id, digest from approval_requests where closed_at is null and used_at is null"
    )
    if asked is None:
        return False
    await world.post(f"/api/v1/runs/{asked['run_id']}/approve", {"digest": asked["digest"], "why": "go on"})
    await world.advance(6)
    return True


def _slow_server(world: World, fault: str | None, rng: random.Random) -> None:
    """What the API server does to a request that the next daemon dies over: it takes it, perhaps late, or waits."""
    world.emulator.faults.clear()
    point = (fault or "").partition(":")[0]
    if point in ("J21", "J27") and rng.random() < 0.5:
        late = ApplyLate(rng.choice([5.0, 20.0, 33.0]), hang=True)
        world.emulator.faults.add(
            Fault("PATCH", _WORKLOAD, late, when=_is_effect if point == "J27" else _is_real)
        )
    if point in ("J38", "J39", "J40"):
        held = world.emulator.faults.add(Fault("PATCH", _WORKLOAD, Hold(), when=_is_real))
        if point == "J40":
            world.theft = asyncio.create_task(_steal(world, held))


async def _steal(world: World, held: Fault) -> None:
    """While a claim is held up, another daemon takes the run, and dies as well."""
    await held.reached()
    await world.database.execute(
        "update runs set lease_owner = 'another', epoch = nextval('epochs') where lease_owner is not null"
    )


def _is_real(call: Call, user: str) -> bool:
    return "dryRun" not in call.query


def _is_effect(call: Call, user: str) -> bool:
    return _is_real(call, user) and b"remediator.io~1attempt" in call.body
