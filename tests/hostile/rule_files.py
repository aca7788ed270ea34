"""Reloads every case of rules.yaml, and says where a bad file was taken, or took the rules before it along."""

import json
from collections.abc import Mapping
from typing import Any

from tests.hostile import corpus
from tests.hostile.under_probe import Probed
from tests.processes.daemons import TOKEN
from tests.support.people import Someone
from tests.support.web import bearer

RULE = "rules:\n  - rule: fine\n    match: ['{alertname=\"X\"}']\n"


async def run(under: Probed) -> int:
    """Every case, one after the other; how many there were."""
    someone = Someone(under.daemon.url, bearer(TOKEN))
    file = under.scene.directory / "rules.yaml"
    good = file.read_text()
    done = 0
    for group, cases in corpus.read("rules.yaml").items():
        for case_id, case in cases.items():
            name = f"rules/{group}/{case_id}"
            before = await _rules(someone)
            file.write_bytes(written(group, case))
            status, said = await _reload(someone)
            if (status == 200) != bool(case.get("fine")):
                under.wrong(name, f"the reload was answered {status}: {said[:200]}")
            if status != 200:
                if not case.get("fine") and (case["says"] not in said or str(file) not in said):
                    under.wrong(name, f"it does not say {case['says']!r} and where, but {said[:300]}")
                if await _rules(someone) != before:
                    under.wrong(name, "the rules before it are not in force any more")
            file.write_text(good)
            if (await _reload(someone))[0] != 200:
                under.wrong(name, "the next good file was refused")
            await under.judge(name)
            done += 1
    return done


def written(group: str, case: Mapping[str, Any]) -> bytes:
    """The file of a case."""
    text = corpus.expanded(case["text"], {"rule": RULE})
    if group == "rule":
        text = f"{RULE}    {text}\n"
    elif group != "whole":
        text = f"{RULE}    {group}:\n      - {text}\n"
    return bytes(text.encode(case.get("as", "utf-8")))


async def _rules(someone: Someone) -> list[str]:
    answer = await someone.send("GET", "/api/v1/rules")
    return [each["digest"] for each in answer.json["rules"]]


async def _reload(someone: Someone) -> tuple[int, str]:
    answer = await someone.send("POST", "/-/reload")
    said = answer.json if answer.status != 200 else {}
    return answer.status, str(said.get("error", json.dumps(said)))
