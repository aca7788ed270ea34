"""What is posted for a case of webhook.yaml, and the intake it goes to."""

import asyncio
import gzip
import io
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.hostile import corpus
from tests.support.alerts import alert, message
from tests.support.web import INTAKE, Answer

_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Intake:
    """Where messages go, and where what is stored of them can be read."""

    url: str
    token: str
    rows: Callable[[str, int], Awaitable[list[dict[str, Any]]]]
    """What the database answers to a query with one number."""
    http: aiohttp.ClientSession

    @property
    def usual(self) -> dict[str, str]:
        """Headers as Alertmanager sends them."""
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}

    async def post(
        self,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
        path: str = INTAKE,
    ) -> Answer:
        """One request; status 0 when nothing came back."""
        merged = {**self.usual, **corpus.expanded(dict(headers or {}))}
        request = self.http.request(
            method, f"{self.url}{path}", data=io.BytesIO(body), headers=merged, allow_redirects=False
        )
        try:
            async with asyncio.timeout(_SECONDS), request as answer:
                return Answer(answer.status, answer.headers, await answer.read())
        except (aiohttp.ClientError, TimeoutError) as reason:
            return Answer(0, {}, repr(reason).encode())

    async def last(self) -> tuple[int, int]:
        """The newest rows that there are: of the alerts, and of what was set aside."""
        (row,) = await self.rows(
            """select coalesce((select max(id) from notices), $1) as notice,
                      coalesce((select max(id) from quarantine), $1) as aside""",
            0,
        )
        return row["notice"], row["aside"]

    async def stored(self, after: int) -> list[dict[str, Any]]:
        """Status and labels of the alerts stored since that row."""
        return await self.rows("select status, labels::text from notices where id > $1", after)

    async def set_aside(self, after: int) -> list[dict[str, Any]]:
        """What was set aside since that row, and why."""
        return await self.rows("select reason, length(body) from quarantine where id > $1", after)


def good(name: str) -> dict[str, Any]:
    """A message with one alert of this case's own, which no rule matches."""
    return message(alert(labels={"alertname": "Good", "case": name}))


def body_of(name: str, case: Mapping[str, Any]) -> bytes:
    """What the case posts."""
    sent = good(name)
    if "bomb" in case:
        return gzip.compress(b" " * case["bomb"])
    if "fields" in case:
        return json.dumps({**sent, **corpus.expanded(case["fields"])}).encode()
    if "json" in case:
        odd = corpus.expanded(case["json"], {"alert": json.dumps(alert())})
        return json.dumps(sent).replace('"alerts": [', f'"alerts": [{odd}, ', 1).encode()
    if "alert" in case or "many" in case:
        many = {case.get("many", "labels"): {f"l{number}": "x" for number in range(100_000)}}
        # Of its own case, so that it is new; what the case says of labels goes first.
        usual = {"labels": {"alertname": "Odd", "namespace": "shop", "case": name}}
        fields = {**usual, **(corpus.expanded(case["alert"]) if "alert" in case else many)}
        return json.dumps(message(*sent["alerts"], alert(**fields))).encode()
    return _text(case, json.dumps(sent))


def _text(case: Mapping[str, Any], whole: str) -> bytes:
    words = {"good": whole, "open": whole[:-1], "alert": json.dumps(alert())}
    text = corpus.expanded(case.get("body", "$good"), words).encode(case.get("as", "utf-8"))
    if "swap" in case:
        old, new = case["swap"]
        whole_bytes = text.replace(b"Good", old.encode(), 1)
        text = whole_bytes.replace(old.encode(), bytes.fromhex(new), 1)
    return bytes(text[: case.get("cut", len(text))])
