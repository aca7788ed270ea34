"""The example of the rules reference says what the command says."""

import re
from pathlib import Path

import pytest

from tests.backtest.test_command import run

_REFERENCE = Path(__file__).parents[2] / "docs" / "rules.md"


def test_the_example_of_the_reference_comes_out_as_it_stands_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    section = _REFERENCE.read_text().partition("\n## What rules would have done\n")[2]
    blocks = dict(re.findall(r"```(yaml|json|text)\n(.*?)```", section, re.DOTALL))
    monkeypatch.chdir(tmp_path)
    Path("rules.yaml").write_text(blocks["yaml"])
    Path("history.jsonl").write_text(blocks["json"])
    assert run("backtest", "rules.yaml", "--history", "history.jsonl") == 0
    assert capsys.readouterr().out == blocks["text"]
