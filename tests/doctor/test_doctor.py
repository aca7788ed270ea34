"""Doctor says of a healthy installation that it is, and of an ill one what is wrong and what to do."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from remediator.cli.main import main
from remediator.clock import SystemClock
from remediator.doctor.examine import CHECKS, Check, _answered, examine
from remediator.doctor.finding import Finding
from remediator.doctor.systems import Systems, systems
from remediator.sandbox.kubernetes import EVERYTHING, Account
from remediator.settings.load import Settings
from tests.doctor.installation import Installation, steady

GOLDEN = Path(__file__).parent / "golden"


async def test_a_healthy_installation(installation: Installation) -> None:
    status, out = await installation.doctor()
    assert steady(out, installation.directory) == (GOLDEN / "healthy.txt").read_text()
    assert status == 0


async def test_nothing_is_changed_anywhere(installation: Installation) -> None:
    await installation.doctor()
    methods = {(each.method, each.path.rpartition("/")[2]) for each in installation.emulator.requests}
    assert {each for each in methods if each[0] != "GET"} == {
        ("POST", "selfsubjectaccessreviews"),
        ("POST", "selfsubjectrulesreviews"),
    }
    assert [each for each in installation.emulator.effects if each.user == "remediator"] == []


async def test_when_nothing_answers_every_check_says_so_for_itself(installation: Installation) -> None:
    await installation.alertmanager.stop()
    await installation.prometheus.stop()
    installation.settings["database_url"] = "postgresql://127.0.0.1:1/none"
    installation.settings["rules"] = [str(installation.directory / "nowhere.yaml")]
    installation.settings["intake"] = {"token_file": str(installation.directory / "gone")}
    (installation.directory / "address").unlink()
    async with installation.emulator.outage():
        status, out = await installation.doctor()
    assert steady(out, installation.directory) == (GOLDEN / "nothing-answers.txt").read_text()
    assert status == 1


async def test_an_ill_installation(installation: Installation) -> None:
    """Everything answers, and nearly all of it is set up wrongly."""
    alertmanager = installation.alertmanager
    (people, ours) = alertmanager.config["receivers"]
    webhook = {**ours["webhook_configs"][0], "send_resolved": False, "max_alerts": 10, "http_config": {}}
    alertmanager.config = {
        "route": {"receiver": "people", "routes": [{"receiver": "remediator"}]},
        "receivers": [people, {"name": "remediator", "webhook_configs": [webhook]}],
    }
    alertmanager.peers = ("10.0.0.1:9094", "10.0.0.2:9094")
    alertmanager.resolve({"alertname": "Watchdog"})
    installation.prometheus.rules.clear()
    installation.prometheus.metrics.clear()
    installation.settings["ceiling"] = "shadow"
    installation.settings["people"] = []
    installation.settings["notifiers"] = []
    installation.emulator.access.add(Account("remediator", "kube-token", rules=(EVERYTHING,)))
    status, out = await installation.doctor()
    assert steady(out, installation.directory) == (GOLDEN / "ill.txt").read_text()
    assert status == 1


async def test_programs_get_every_check_and_the_counts(installation: Installation) -> None:
    status, out = await installation.doctor("--output", "json")
    told = json.loads(out)
    assert [each["check"] for each in told["checks"]] == [each.name for each in CHECKS]
    assert status == 0
    counted = Counter(one["level"] for each in told["checks"] for one in each["findings"])
    assert told["counts"] == {level: counted[level] for level in ("ok", "warning", "failed", "unknown")}
    assert told["counts"]["failed"] == 0


async def test_warnings_alone_are_status_0(installation: Installation) -> None:
    installation.settings["notifiers"] = []
    status, found = await installation.found()
    assert found["notifiers"][0].level == "warning"
    assert status == 0


async def test_one_system_that_hangs_does_not_hold_the_others(installation: Installation) -> None:
    installation.prometheus.delay = 60.0
    status, found = await installation.found()
    assert [each.level for each in found["prometheus"]] == ["failed"]
    assert "did not answer within 10 s" in found["prometheus"][0].saw
    assert {each.level for each in found["queries"]} <= {"unknown"}
    assert {each.level for name in ("kubernetes", "database", "rights") for each in found[name]} == {"ok"}
    assert status == 1


@pytest.mark.parametrize("arguments", [["--output", "xml"], ["surplus"], ["--log.level", "loud"]])
def test_wrong_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", *arguments])
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_a_configuration_that_cannot_be_read_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--config.file", str(tmp_path / "none.yml")]) == 1
    assert "cannot be read" in capsys.readouterr().err


async def test_whoever_waits_is_told_for_what(installation: Installation) -> None:
    installation.prometheus.delay = 60.0
    told: list[list[str]] = []
    async with systems(Settings.model_validate(installation.settings), SystemClock()) as opened:
        await examine(opened, lambda names: told.append(list(names)))
    assert told[0] == [each.name for each in CHECKS]
    assert set(told[-1]) <= {"prometheus", "queries", "alerts", "alarms"}


async def test_a_check_that_never_answers_is_unknown_after_its_deadline(installation: Installation) -> None:
    async def never(_: Systems) -> list[Finding]:
        await asyncio.Event().wait()
        return []

    async with systems(Settings.model_validate(installation.settings), SystemClock()) as opened:
        (only,) = await _answered(Check("slow", never, 0.01), opened)
    assert (only.level, only.saw) == ("unknown", "no answer within 0.01 s")


async def test_a_web_config_file_that_is_wrong_is_said(installation: Installation) -> None:
    path = installation.directory / "web.yml"
    path.write_text("tls_server_config: {cert_file: gone.pem, key_file: gone.key}")
    installation.settings["web_config_file"] = str(path)
    (found,) = await installation.finds("secrets")
    assert found.level == "failed"
    assert "its certificates cannot be used" in found.saw
