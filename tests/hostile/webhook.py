"""Sends every case of webhook.yaml, and says which were not answered as they have to be."""

import asyncio
import gzip
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import aiohttp

from tests.hostile import corpus
from tests.hostile.under_probe import MOST_MEMORY, Probed
from tests.processes.daemons import TOKEN
from tests.support.alerts import alert, message

PATH = "/api/v1/alertmanager"
_USUAL = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
_STATUS = {"unreadable": 400, "set_aside": 200, "taken": 200, "group": 200}
_SECONDS = 20.0


async def run(under: Probed) -> int:
    """Every case, one after the other; how many there were."""
    done = 0
    async with aiohttp.ClientSession(auto_decompress=False) as http:
        for group, cases in corpus.read("webhook.yaml").items():
            for case_id, case in cases.items():
                name = f"webhook/{group}/{case_id}"
                await (_on_a_socket if group == "transport" else _over_http)(under, http, name, group, case)
                await under.judge(name, case.get("memory", MOST_MEMORY))
                await _the_next_good_one_works(under, http, name)
                done += 1
    return done


def good(name: str) -> dict[str, Any]:
    """A message with one alert of this case's own, which no rule matches."""
    return message(alert(labels={"alertname": "Good", "case": name}))


async def _the_next_good_one_works(under: Probed, http: aiohttp.ClientSession, name: str) -> None:
    status, _ = await _post(under, http, json.dumps(good(f"{name} after")).encode())
    if status != 200:
        under.wrong(name, f"the next good message was answered {status}")


async def _over_http(
    under: Probed, http: aiohttp.ClientSession, name: str, group: str, case: Mapping[str, Any]
) -> None:
    before = await under.counts()
    status, answer = await _post(
        under,
        http,
        _body(name, case),
        case.get("headers", {}),
        case.get("method", "POST"),
        case.get("path", PATH),
    )
    expected = case.get("status") or _STATUS[group]
    if status != expected:
        under.wrong(name, f"answered {status} instead of {expected}: {answer[:200]!r}")
        return
    after = await under.counts()
    stored, aside = (after[each] - before[each] for each in ("notices", "quarantine"))
    wanted = _rows_due(group, case, status)
    if (stored, aside) != wanted:
        under.wrong(name, f"{stored} alerts stored and {aside} set aside instead of {wanted}")
    said = answer.decode()
    if group == "set_aside":
        said = str(await under.database.fetchval("select reason from quarantine order by id desc limit 1"))
    elif status >= 400 and not set(json.loads(said)) >= {"error", "hint"}:
        under.wrong(name, f"the answer does not say how to mend it: {said[:200]}")
    if case.get("says", "") not in said:
        under.wrong(name, f"it does not say {case['says']!r} but {said[:200]}")


def _rows_due(group: str, case: Mapping[str, Any], status: int) -> tuple[int, int]:
    if status != 200:
        return 0, 0
    return {"set_aside": (1, 1), "taken": (2, 0)}.get(group, (1, 0))


def _body(name: str, case: Mapping[str, Any]) -> bytes:
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


async def _post(
    under: Probed,
    http: aiohttp.ClientSession,
    body: bytes,
    headers: Mapping[str, str] | None = None,
    method: str = "POST",
    path: str = PATH,
) -> tuple[int, bytes]:
    merged = {**_USUAL, **corpus.expanded(dict(headers or {}))}
    try:
        async with (
            asyncio.timeout(_SECONDS),
            http.request(
                method,
                f"{under.daemon.url}{path}",
                data=io.BytesIO(body),
                headers=merged,
                allow_redirects=False,
            ) as answer,
        ):
            return answer.status, await answer.read()
    except (aiohttp.ClientError, TimeoutError) as reason:
        return 0, repr(reason).encode()


async def _on_a_socket(
    under: Probed, _: aiohttp.ClientSession, name: str, group: str, case: Mapping[str, Any]
) -> None:
    found = await _answers(under.port, name, case)
    if found != case["answers"]:
        under.wrong(name, f"answered {found} instead of {case['answers']}")


async def _answers(port: int, name: str, case: Mapping[str, Any]) -> list[int]:
    """The statuses that came back, in their order, until it was closed or nothing more came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = b""
    try:
        for piece in _pieces(name, case):
            writer.write(piece)
            await writer.drain()
        if case.get("leave"):
            return []
        if case.get("half_close"):
            writer.write_eof()
        wanted = len(case["answers"])
        async with asyncio.timeout(3.0):
            while (wanted == 0 or len(_statuses(received)) < wanted) and (some := await reader.read(65536)):
                received += some
    except (ConnectionError, TimeoutError):
        pass
    finally:
        writer.close()
    return _statuses(received)


def _pieces(name: str, case: Mapping[str, Any]) -> Iterator[bytes]:
    if "hex" in case:
        yield bytes.fromhex(case["hex"])
        return
    body = json.dumps(good(name))
    lines = [
        f"POST {PATH} {case.get('version', 'HTTP/1.1')}",
        "Host: here",
        *(f"{k}: {v}" for k, v in _USUAL.items()),
    ]
    head = "".join(f"{line}\r\n" for line in lines)
    words = {"head": head, "hexlength": f"{len(body):x}", "length": str(len(body)), "good": body}
    for piece in case["send"]:
        yield corpus.expanded(piece, words).encode()


def _statuses(received: bytes) -> list[int]:
    return [
        int(line.split(b" ")[1])
        for line in received.split(b"HTTP/1.")[1:]
        if len(line) > 5 and line[1:2] == b" "
    ]
