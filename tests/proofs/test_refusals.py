"""What each guard says when it stands in the way: the sentence of notices, `runs show` and `runs explain`."""

import asyncio
import re
import shutil
import tempfile
from pathlib import Path

from tests.proofs.asking import asker
from tests.proofs.guard_scenes import guard_stage
from tests.proofs.rows import ROWS
from tests.support.databases import Databases

GOLDEN = Path(__file__).with_name("refusals.txt")
CHOSEN_ANEW = (re.compile(r"(?<=127\.0\.0\.1:)\d+"), re.compile(r"(?<=-)[a-z0-9]{5}(?=:)"))
"""Ports, and the ends of pods' names."""


def test_each_guard_says_why_in_a_sentence_people_understand(tmp_path: Path, databases: Databases) -> None:
    sockets = Path(tempfile.mkdtemp(prefix="g-"))
    try:
        with databases.clone("driven") as dsn:
            told = asyncio.run(_told(tmp_path, sockets, dsn))
    finally:
        shutil.rmtree(sockets)
    now = tmp_path / GOLDEN.name
    now.write_text(told)
    assert told == GOLDEN.read_text(), f"read the difference, and if it is better: cp {now} {GOLDEN}"


async def _told(tmp_path: Path, sockets: Path, dsn: str) -> str:
    told = set()
    async with guard_stage(tmp_path, dsn) as stage:
        for number, row in enumerate(ROWS):
            folder = sockets / f"r{number}"
            async with (
                row.alone(stage) as question,
                asker(folder.name, stage.story, folder, question.settings) as daemon,
            ):
                answer = await daemon.ask([row.guard], question)
            why = answer.why or "; ".join(answer.caveats)
            for chosen in CHOSEN_ANEW:
                why = chosen.sub("...", why)
            told.add(f"{row.guard.key()}: {answer.word}\n  {why}\n")
    return "".join(sorted(told))
