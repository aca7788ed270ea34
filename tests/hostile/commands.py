"""Types every case of cli.yaml, and says where a command broke, said too little or ended with another status."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.hostile import corpus
from tests.hostile.under_probe import Probed

_TYPED = Path(__file__).parent / "typed.py"
_SECONDS = 60.0


async def run(under: Probed) -> int:
    """Every case; how many there were."""
    words = _surroundings(under)
    done = 0
    forks = await _forks()
    for group, cases in corpus.read("cli.yaml").items():
        for case_id, case in cases.items():
            name = f"cli/{group}/{case_id}"
            typed = [each for word in case["type"] for each in corpus.expanded(word, words).split("\x1f")]
            alone = "env" in case or case.get("closed")  # what a program is started with decides
            status, said = await (_alone(under, typed, case) if alone else _forked(under, forks, typed))
            _judge(under, name, case, status, said)
            done += 1
    forks.terminate()
    await forks.wait()
    await under.judge("cli")
    if await under.database.fetchval("select count(*) from pauses where cleared_at is null"):
        under.wrong("cli", "a pause was set")
    return done


async def _forks() -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, str(_TYPED), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )


async def _forked(under: Probed, forks: Process, typed: list[str]) -> tuple[int, str]:
    assert forks.stdin is not None
    assert forks.stdout is not None
    out = under.scene.directory / "said"
    line = {"argv": typed, "out": str(out)}
    forks.stdin.write(json.dumps(line).encode() + b"\n")
    async with asyncio.timeout(_SECONDS):
        status = int(await forks.stdout.readline())
    return status, out.read_text(errors="replace")


def _surroundings(under: Probed) -> dict[str, str]:
    """Files that are not what they should be, and where the daemon is."""
    directory = under.scene.directory / "typed"
    (directory / "empty").mkdir(parents=True)
    (directory / "circle").mkdir()
    (directory / "circle" / "round").symlink_to(directory / "circle")
    (directory / "bytes").write_bytes(b"\xff\xfe\x00\x01")
    (directory / "lines").write_text("one\ntwo: [\n")
    os.mkfifo(directory / "pipe")
    token = under.scene.directory / "token"
    return {
        "daemon": f"--url\x1f{under.daemon.url}\x1f--token-file\x1f{token}",
        "url": under.daemon.url,
        "dir": str(directory),
    }


async def _alone(under: Probed, typed: list[str], case: Mapping[str, Any]) -> tuple[int, str]:
    reading, writing = os.pipe()
    if case.get("closed"):
        os.close(reading)
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("remediator")),
        *typed,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=writing if case.get("closed") else asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **case.get("env", {})},
    )
    os.close(writing)
    if not case.get("closed"):
        os.close(reading)
    async with asyncio.timeout(_SECONDS):
        out, error = await process.communicate()
    return process.returncode or 0, ((out or b"") + error).decode("utf-8", "replace")


def _judge(under: Probed, name: str, case: Mapping[str, Any], status: int, said: str) -> None:
    if status != case.get("exit", 1):
        under.wrong(name, f"it ended {status}: {said[-300:]}")
    silent = status and not said and not case.get("closed")
    if "Traceback" in said or case["says"] not in said or silent:
        under.wrong(name, f"it does not say {case['says']!r} but {said[-300:]}")
    if "\x1b" in said or "\x07" in said:
        under.wrong(name, "it wrote control characters to the terminal")
    if case.get("hides", "\x00") in said:
        under.wrong(name, "it shows a secret")
