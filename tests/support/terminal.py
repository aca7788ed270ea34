"""A person at a terminal: types commands against the daemon of a story and reads what they print."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from remediator.cli.main import main
from tests.support.story import Story

ROLES = {"kim": ["view", "approve", "operate"], "guest": ["view"]}
"""Kim may do everything, the guest only look."""


@dataclass
class Terminal:
    """Types commands and reads what they print."""

    story: Story
    token_file: Path
    capture: pytest.CaptureFixture[str]

    async def type(self, *command: str) -> tuple[int, str, str]:
        """Exit status, standard output and standard error of one command that asks the daemon."""
        options = ("--url", self.story.url, "--token-file", str(self.token_file))
        self.capture.readouterr()
        status = await asyncio.to_thread(main, [*command, *options])
        printed = self.capture.readouterr()
        return status, printed.out, printed.err

    async def shows(self, *command: str) -> str:
        """What a command prints that works."""
        status, out, error = await self.type(*command)
        assert status == 0, error
        return out

    async def reads(self, *command: str) -> str:
        """The same on one line: where a timeline is wrapped does not matter to a reader."""
        return " ".join((await self.shows(*command)).split())

    async def json(self, *command: str) -> Any:
        """The document a command prints for programs."""
        return json.loads(await self.shows(*command, "--output", "json"))

    def of(self, name: str) -> "Terminal":
        """The terminal of somebody else."""
        return Terminal(self.story, self.token_file.parent / name, self.capture)

    async def fails(self, *command: str) -> str:
        """What a command says that is refused."""
        status, out, error = await self.type(*command)
        assert (status, out) == (1, ""), out
        return error
