"""Durable acknowledged alerts a second and CPU per alert: the intake beside a bare group-commit receiver.

Both run at once, in processes of their own over one durable PostgreSQL, and take turns at the load,
so that whatever slows the machine down slows both.
"""

import asyncio
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench import backtest, databases, rules, storm
from tests.bench.load import ALERTS_A_POST, bodies, post_for
from tests.support.databases import create_database, private_postgres

ROUNDS = 6
SECONDS = 3.0
WARM_UP_SECONDS = 1.0
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measured:
    """One receiver in one round."""

    alerts_per_second: float
    receiver_us: float
    """Microseconds of CPU per alert of the receiving process."""
    postgres_us: float

    def __str__(self) -> str:
        cpu = f"{self.receiver_us:.1f} + {self.postgres_us:.1f} us of CPU per alert (receiver + PostgreSQL)"
        return f"{self.alerts_per_second:8.0f} alerts/s, {cpu}"


@dataclass(frozen=True)
class Receiver:
    """One running receiver."""

    name: str
    url: str
    pid: int
    postgres_pid: int

    def measure(self, seconds: float, source: Iterator[bytes]) -> Measured:
        """Keep it busy for `seconds`."""
        before = _cpu_seconds([self.pid]), _cpu_seconds(_children(self.postgres_pid))
        alerts = ALERTS_A_POST * asyncio.run(post_for(seconds, self.url, source))
        after = _cpu_seconds([self.pid]), _cpu_seconds(_children(self.postgres_pid))
        return Measured(
            alerts / seconds, 1e6 * (after[0] - before[0]) / alerts, 1e6 * (after[1] - before[1]) / alerts
        )


@contextmanager
def receiver(name: str, dsn: str, postgres_pid: int) -> Iterator[Receiver]:
    """Start `name` and wait until it listens."""
    command = [sys.executable, "-m", "tests.bench.receivers", name, dsn]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            raise RuntimeError(f"{name} did not start")
        yield Receiver(name, url, process.pid, postgres_pid)
        process.communicate(timeout=30)


def main() -> None:
    """Print a line for every round, then the one that counts."""
    ours: list[Measured] = []
    bare: list[Measured] = []
    with ExitStack() as stack:
        server = stack.enter_context(private_postgres(durable=True))
        assert server.pid is not None
        receivers = [
            stack.enter_context(receiver(name, create_database(server, name), server.pid))
            for name in ("bare", "intake")
        ]
        source = bodies()
        for each in receivers:
            each.measure(WARM_UP_SECONDS, source)
        for number in range(1, ROUNDS + 1):
            for each, results in zip(receivers, (bare, ours), strict=True):
                measured = each.measure(SECONDS, source)
                results.append(measured)
                print(f"round {number} {each.name:>6}: {measured}", flush=True)
    pairs = zip(ours, bare, strict=True)
    ratio = statistics.median(a.alerts_per_second / b.alerts_per_second for a, b in pairs)
    rate = statistics.median(each.alerts_per_second for each in ours)
    cpu = statistics.median(each.receiver_us + each.postgres_us for each in ours)
    print(f"bench intake: alerts_per_second={rate:.0f} ratio_to_bare={ratio:.2f} cpu_us_per_alert={cpu:.0f}")


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _cpu_seconds(pids: list[int]) -> float:
    """User and system time so far of these processes, those that are gone left out."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS_A_SECOND


if __name__ == "__main__":
    main()
    storm.main()
    rules.main()
    backtest.main()
    databases.main()
