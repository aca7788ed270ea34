"""What befalls three replicas, by seed: kills, stops past the lease, lost and one-way connections, wrong clocks."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from tests.chaos.fleet import LEASE_SECONDS, REPLICAS, Fleet, Replica
from tests.chaos.proxy import Heal, Proxy, Way

_HOUR, _YEAR = 3600.0, 365 * 86400.0
_JUMPS = (-10 * _YEAR, -_HOUR, _HOUR, 10 * _YEAR)
_LATEST = 0.8

Apply = Callable[[Fleet, Replica, "Blow"], Awaitable[bool]]


@dataclass(frozen=True)
class Blow:
    """One fault: what, to which replica, how many seconds from the schedule's beginning, for how long."""

    what: str
    replica: int
    at: float
    lasts: float

    def __str__(self) -> str:
        return f"{self.what} of replica {self.replica} at {self.at:.2f} s for {self.lasts:.2f} s"


def schedule(seed: int) -> Sequence[Blow]:
    """One to three blows; never one to all three replicas at the same time, or nobody would take an alert."""
    random = Random(seed)
    # In turn, so that no number of schedules leaves one out.
    first = sorted(BLOWS)[seed % len(BLOWS)]
    others = random.sample(sorted(BLOWS), random.randint(0, 2))
    replicas = random.sample(range(REPLICAS), 2)
    return [
        Blow(
            what,
            replicas[number % 2],
            random.uniform(0, _LATEST),
            LEASE_SECONDS + random.uniform(0.3, 1.0) if what == "stop" else random.uniform(0.2, 1.5),
        )
        for number, what in enumerate((first, *others))
    ]


async def strike(fleet: Fleet, blow: Blow) -> bool:
    """Apply it and end it; whether it hit anything."""
    await asyncio.sleep(blow.at)
    return await BLOWS[blow.what](fleet, fleet.replicas[blow.replica], blow)


async def _kill(fleet: Fleet, replica: Replica, blow: Blow) -> bool:
    if not replica.runs:
        return False
    replica.kill()
    await asyncio.sleep(blow.lasts)
    replica.start()
    return True


async def _stop(fleet: Fleet, replica: Replica, blow: Blow) -> bool:
    if not replica.runs:
        return False
    replica.send(signal.SIGSTOP)
    await asyncio.sleep(blow.lasts)
    replica.send(signal.SIGCONT)
    return replica.runs


async def _clock(fleet: Fleet, replica: Replica, blow: Blow) -> bool:
    if not await replica.answers(fleet.session):
        return False  # it has not begun to listen to the signal yet
    replica.set_clock(_JUMPS[int(blow.lasts * 1000) % len(_JUMPS)])
    await asyncio.sleep(blow.lasts)
    return replica.runs


def _to(which: Callable[[Replica], Proxy], fault: Callable[[Proxy], Heal]) -> Apply:
    async def apply(fleet: Fleet, replica: Replica, blow: Blow) -> bool:
        proxy = which(replica)
        bitten = proxy.bitten
        heal = fault(proxy)
        await asyncio.sleep(blow.lasts)
        heal()
        return proxy.bitten > bitten

    return apply


def _cut(proxy: Proxy) -> Heal:
    proxy.cut()
    return lambda: None


def _swallow(*ways: Way) -> Callable[[Proxy], Heal]:
    return lambda proxy: proxy.swallow(*ways)


def _postgres(replica: Replica) -> Proxy:
    return replica.postgres


def _api(replica: Replica) -> Proxy:
    return replica.api


BLOWS: Mapping[str, Apply] = {
    "kill -9": _kill,
    "stop": _stop,
    "clock jump": _clock,
    "PostgreSQL cut": _to(_postgres, _cut),
    "PostgreSQL refused": _to(_postgres, Proxy.refuse),
    "PostgreSQL hears nothing": _to(_postgres, _swallow("to server")),
    "PostgreSQL is not heard": _to(_postgres, _swallow("to client")),
    "PostgreSQL gone silent": _to(_postgres, _swallow("to server", "to client")),
    "API cut": _to(_api, _cut),
    "API refused": _to(_api, Proxy.refuse),
    "API hears nothing": _to(_api, _swallow("to server")),
    "API is not heard": _to(_api, _swallow("to client")),
    "API slow": _to(_api, lambda proxy: proxy.slow(0.3)),
}
