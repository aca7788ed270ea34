"""`rules backtest`, as people and pipelines call it. The texts stand in golden/."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from remediator.cli.rules import add_commands
from tests.backtest.month import RULES, lines, written

GOLDEN = Path(__file__).parent / "golden"
LONGER = RULES.replace("cooldown: {for: 1h}", "cooldown: {for: 75m}")
NARROWER = RULES.replace("- rule: slow\n    mode: act", "- rule: slow\n    mode: off").replace(
    "match: ['{alertname=\"QueueStuck\"}']", "match: ['{alertname=~\"QueueStuck|CpuHigh\"}']"
)


def run(*arguments: str) -> int:
    """The exit status of `remediator rules ...` with these arguments."""
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers(required=True))
    args = parser.parse_args(["rules", *arguments])
    return int(args.run(args))


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Rules before and after, and the month, in the directory that is the current one."""
    monkeypatch.chdir(tmp_path)
    Path("rules.yaml").write_text(RULES)
    Path("longer.yaml").write_text(LONGER)
    Path("narrower.yaml").write_text(NARROWER)
    Path("month.jsonl").write_bytes(b"\n".join(written(list(lines()))))
    return tmp_path


def backtest(*arguments: str) -> int:
    return run("backtest", *arguments, "--history", "month.jsonl")


def test_the_whole_month_as_people_read_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert backtest("rules.yaml") == 0
    assert capsys.readouterr() == ((GOLDEN / "month.txt").read_text(), "")


def test_the_same_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert backtest("rules.yaml", "--output", "json") == 0
    assert capsys.readouterr().out == (GOLDEN / "month.json").read_text()


@pytest.mark.parametrize("name", ["longer", "narrower"])
def test_only_what_differs_is_told_for_a_pull_request(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert backtest(f"{name}.yaml", "--against", "rules.yaml") == 1
    assert capsys.readouterr().out == (GOLDEN / f"{name}.txt").read_text()


def test_differences_for_programs_have_both_sides(capsys: pytest.CaptureFixture[str]) -> None:
    assert backtest("longer.yaml", "--against", "rules.yaml", "--output", "json") == 1
    (only,) = json.loads(capsys.readouterr().out)["differences"]
    assert (only["sign"], only["before"]["at"], only["after"]["at"]) == (
        "~",
        "2026-10-03T10:00:00+00:00",
        "2026-10-03T10:15:00+00:00",
    )


def test_rules_that_do_the_same_do_not_differ(capsys: pytest.CaptureFixture[str]) -> None:
    Path("same.yaml").write_text(RULES.replace("rule: look-only,", "rule: look-only, description: looks,"))
    assert backtest("same.yaml", "--against", "rules.yaml") == 0
    assert capsys.readouterr().out == "the same decisions with both\n"


def test_rules_in_shadow_are_gone_through_as_though_they_acted_when_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("shadow.yaml").write_text(
        RULES.replace("mode: act", "mode: shadow").replace("mode: ask", "mode: shadow")
    )
    assert backtest("shadow.yaml", "--against", "rules.yaml") == 1
    assert backtest("shadow.yaml", "--against", "rules.yaml", "--mode", "act") == 0
    assert capsys.readouterr().out.endswith("the same decisions with both\n")


def test_only_the_last_days_are_gone_through_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert backtest("rules.yaml", "--days", "20", "--output", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["from"] == "2026-10-11T00:00:00+00:00"
    assert [each["at"][8:10] for each in told["decisions"]] == ["11", "12", "13"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.yaml"], "missing.yaml"),
        (["rules.yaml", "--against", "missing.yaml"], "missing.yaml"),
    ],
)
def test_trouble_is_not_taken_for_a_difference(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backtest(*arguments) == 2
    assert said in capsys.readouterr().err


def test_a_history_that_cannot_be_read_is_refused_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("month.jsonl").write_text(
        '{"kind":"history","version":1,"from":"2026-10-01T00:00:00Z","to":"2026-10-02T00:00:00Z"}\n\n'
        '{"kind":"alert","labels":{"alertname":"X"},"startsAt":"yesterday"}\n'
    )
    assert backtest("rules.yaml") == 2
    assert "month.jsonl:3: startsAt: " in capsys.readouterr().err


def test_one_history_and_one_source_at_a_time() -> None:
    with pytest.raises(SystemExit) as usage:
        backtest("rules.yaml", "--prometheus", "http://127.0.0.1:9")
    assert usage.value.code == 2


def test_the_same_history_and_rules_give_the_same_bytes_whatever_python_hashes() -> None:
    window, *told = written(list(lines()))
    Path("shuffled.jsonl").write_bytes(b"\n".join([window, *reversed(told)]))
    outputs = [
        subprocess.run(
            [sys.executable, "-m", "remediator", "rules", "backtest", "rules.yaml", "--history", history],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            timeout=110,
        )
        for seed, history in (("1", "month.jsonl"), ("2", "shuffled.jsonl"))
    ]
    assert outputs[0].stdout == outputs[1].stdout == (GOLDEN / "month.txt").read_bytes()
    assert outputs[0].stderr == b""
