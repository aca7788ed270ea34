"""Runs the fork server, and adds up what it found."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from remediator.sandbox.postgres import PostgresServer
from tests.chaos.fork_server import Result, Task

ROOT = Path(__file__).parent.parent.parent


@dataclass
class Sum:
    """Of many stories."""

    points: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    never_came: Counter[str] = field(default_factory=Counter)
    """Points of faults that did not come: of them nothing is proven."""
    violations: list[str] = field(default_factory=list)
    """With the story, its faults and its seed: what it takes to tell it again."""

    @property
    def invalid(self) -> int:
        return self.never_came.total()

    @property
    def kills(self) -> int:
        return self.points.total()

    def add(self, result: Result) -> None:
        self.points.update(result.killed_at)
        self.pairs.update(result.pairs)
        self.reached.update(result.reached)
        self.never_came.update(result.invalid)
        self.violations += [f"{found}\n    again: {again(result.task)}" for found in result.violations]


def again(task: Task) -> str:
    """The command that tells one story again."""
    said = json.dumps(asdict(task))
    return f"echo {said!r} | python -m tests.chaos.fork_server DSN"


def told(
    server: PostgresServer,
    tasks: Iterable[Task],
    *,
    enough: int | None = None,
    root: Path = ROOT,
) -> Sum:
    """All of these stories, or as many as make enough kills, told by the product and the tests that are in `root`."""
    said = "\n".join(json.dumps(asdict(each)) for each in tasks)
    answer = subprocess.run(
        [sys.executable, "-m", "tests.chaos.fork_server", server.dsn(), *([str(enough)] if enough else [])],
        input=said,
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=True,
    )
    found = Sum()
    for line in answer.stdout.splitlines():
        row = json.loads(line)
        task = Task(row["task"]["story"], tuple(row["task"]["faults"]), row["task"]["seed"])
        found.add(Result(task, tuple(row["fired"]), tuple(row["violations"]), row["reached"]))
    return found
