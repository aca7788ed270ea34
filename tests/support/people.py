"""People who use the API of a story's daemon, each with their own token."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.web import Answer, bearer

DEADLINE = 60.0


def people(directory: Path, **roles: Sequence[str]) -> dict[str, Any]:
    """The setting: people by name with these roles, whose token is `NAME-token`."""
    listed = []
    for name, each in roles.items():
        (directory / name).write_text(f"{name}-token\n")
        listed.append({"name": name, "token_file": directory / name, "roles": list(each)})
    return {"people": listed}


def basic(user: str, password: str) -> dict[str, str]:
    """The header of basic authentication."""
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


@dataclass(frozen=True)
class Someone:
    """Speaks HTTP to a daemon as one person would."""

    url: str
    headers: Mapping[str, str]

    @classmethod
    def named(cls, name: str, url: str) -> "Someone":
        """One of `people`."""
        return cls(url, bearer(f"{name}-token"))

    async def send(self, method: str, path: str, content: Any = None) -> Answer:
        """One request."""
        body = None if content is None else json.dumps(content).encode()
        headers = {"Content-Type": "application/json", **self.headers}
        async with (
            aiohttp.ClientSession() as http,
            asyncio.timeout(DEADLINE),
            http.request(method, f"{self.url}{path}", data=body, headers=headers) as answer,
        ):
            return Answer(answer.status, answer.headers, await answer.read())

    async def run(self, run_id: int) -> Any:
        """What the API says of a run."""
        answer = await self.send("GET", f"/api/v1/runs/{run_id}")
        assert answer.status == 200, answer
        return answer.json

    async def asked(self, run_id: int) -> Any:
        """The run's one request that waits."""
        (waiting,) = [each for each in (await self.run(run_id))["approvals"] if each["closed_at"] is None]
        return waiting

    async def approve(self, run_id: int, digest: str | None = None, why: str = "") -> Answer:
        """Agree, to what is asked now unless a digest is given."""
        named = digest if digest is not None else (await self.asked(run_id))["digest"]
        return await self.send("POST", f"/api/v1/runs/{run_id}/approve", {"digest": named, "why": why})

    async def decline(self, run_id: int, why: str = "no", digest: str | None = None) -> Answer:
        """Say no."""
        said = {"why": why} | ({} if digest is None else {"digest": digest})
        return await self.send("POST", f"/api/v1/runs/{run_id}/decline", said)
