"""Sends every case of webhook.yaml, and says which were not answered, or not stored, as they have to be."""

import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from tests.hostile import corpus, transport
from tests.hostile.posting import Intake, body_of, good
from tests.hostile.under_probe import MOST_MEMORY, Probed
from tests.processes.daemons import TOKEN
from tests.support.web import INTAKE, Answer

CASES = corpus.read("webhook.yaml")
_STATUS = {"unreadable": 400, "set_aside": 200, "taken": 200, "group": 200}
_LONGEST_ASIDE = 65536


async def run(under: Probed) -> int:
    """Every case, one after the other; how many there were."""

    async def rows(query: str, number: int) -> list[dict[str, Any]]:
        return [dict(row) for row in await under.database.fetch(query, number)]

    done = 0
    async with aiohttp.ClientSession(auto_decompress=False) as http:
        intake = Intake(under.daemon.url, TOKEN, rows, http)
        for group, cases in CASES.items():
            for case_id, case in cases.items():
                name = f"webhook/{group}/{case_id}"
                for each in await judged(intake, name, group, case):
                    under.wrong(name, each)
                await under.judge(name, case.get("memory", MOST_MEMORY))
                done += 1
    return done


async def judged(intake: Intake, name: str, group: str, case: Mapping[str, Any]) -> list[str]:
    """What is wrong with what came of a case, or of the good message sent after it."""
    if group == "transport":
        found = await transport.judged(intake, name, case)
    else:
        found = await _over_http(intake, name, group, case)
    after = await intake.post(json.dumps(good(f"{name} after")).encode())
    if (after.status, after.body) != (200, _counts(1, 0)):
        found.append(f"the next good message was answered {after.status}: {after.body[:200]!r}")
    return found


async def _over_http(intake: Intake, name: str, group: str, case: Mapping[str, Any]) -> list[str]:
    body = body_of(name, case)
    before = await intake.last()
    answer = await intake.post(
        body, case.get("headers", {}), case.get("method", "POST"), case.get("path", INTAKE)
    )
    expected = case.get("status") or _STATUS[group]
    if answer.status != expected:
        return [f"answered {answer.status} instead of {expected}: {answer.body[:200]!r}"]
    stored, aside = await intake.stored(before[0]), await intake.set_aside(before[1])
    found = []
    due = _due(name, group, body) if expected == 200 else []
    if _sorted((each["status"], json.loads(each["labels"])) for each in stored) != _sorted(due):
        found.append(f"stored was {str(stored)[:200]} instead of {str(due)[:200]}")
    if len(aside) != (group == "set_aside") or any(not 0 < row["length"] <= _LONGEST_ASIDE for row in aside):
        found.append(f"set aside was {aside}")
    said = aside[0]["reason"] if aside else answer.body.decode()
    if case.get("says", "") not in said:
        found.append(f"it does not say {case['says']!r} but {said[:200]}")
    if expected == 200 and answer.body != _counts(len(due), len(aside)):
        found.append(f"it counts {said[:200]}")
    return found + (_without_help(answer) if expected >= 400 else [])


def _due(name: str, group: str, body: bytes) -> list[tuple[str, Any]]:
    """Status and labels of what has to be stored: as it was sent, but for labels without a value, which are none."""
    sent = good(name) if group == "set_aside" else json.loads(body)
    return [
        (each["status"], {label: value for label, value in each["labels"].items() if value})
        for each in sent["alerts"]
    ]


def _sorted(alerts: Any) -> list[str]:
    return sorted(json.dumps(each, sort_keys=True) for each in alerts)


def _counts(alerts: int, aside: int) -> bytes:
    return b'{"status":"success","alerts":%d,"quarantined":%d}' % (alerts, aside)


def _without_help(answer: Answer) -> list[str]:
    """A refusal says what is wrong and how it is mended, and which method would be taken."""
    said = json.loads(answer.body)
    found = [] if set(said) == {"error", "hint"} else [f"it does not say how to mend it: {said}"]
    if answer.status == 405 and (answer.headers.get("Allow") != "POST" or "Allow" not in said["hint"]):
        found.append(f"it does not say which method is taken: {answer.headers.get('Allow')}, {said}")
    return found
