"""A file that stops everything: there, not there, or nobody can know."""

from pathlib import Path

import pytest

from remediator.clients.pause_file import PauseFile
from remediator.errors import Retryable


async def test_without_a_path_nothing_is_looked_for() -> None:
    assert await PauseFile(None).read() is None


async def test_a_file_that_is_not_there_stops_nothing(tmp_path: Path) -> None:
    assert await PauseFile(tmp_path / "stop").read() is None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"migration\nand more\n", "migration"),
        (b"", "no reason given"),
        (b"  \n", "no reason given"),
        (b"caf\xe9 \x00\n", "caf\ufffd \ufffd"),
        (b"x" * 5000, "x" * 1000),
    ],
)
async def test_the_first_line_says_why(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "stop").write_bytes(content)
    switch = await PauseFile(tmp_path / "stop").read()
    assert switch is not None
    assert (switch.scope, switch.value, switch.source, switch.why) == ("everything", "", "file", why)
    assert str(tmp_path / "stop") in switch.who


async def test_what_cannot_be_read_is_not_known_to_be_absent(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "directory").mkdir()
    for path in ("missing/stop", "file/stop", "link", "directory"):
        with pytest.raises(Retryable, match="cannot be known"):
            await PauseFile(tmp_path / path).read()
