"""Doctor asks a real Prometheus and a real Alertmanager."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remediator.cli.main import main
from tests.e2e.monitoring import Ports, Service, ready, real_monitoring
from tests.e2e.test_recovery import RULES
from tests.processes.daemons import scene
from tests.support.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

WRONG = "sum(rate(http_requests_total))"  # only Prometheus knows that rate takes a range
"""A parenthesis is missing."""


async def test_doctor_understands_what_the_real_ones_answer(
    tmp_path: Path,
    real_time_database_url: str,
    capsys: pytest.CaptureFixture[str],
    new_port: Callable[[], int],
) -> None:
    ports = Ports(*(new_port() for _ in range(4)))
    async with scene(tmp_path, real_time_database_url) as made:
        made.alertmanager_url = f"http://127.0.0.1:{ports.alertmanager}"
        made.prometheus_url = f"http://127.0.0.1:{ports.prometheus}"
        (tmp_path / "rules.yaml").write_text(RULES)
        config = tmp_path / "remediator.yml"
        config.write_text(json.dumps(made._settings(ports.daemon)))

        async def found() -> dict[str, list[dict[str, Any]]]:
            capsys.readouterr()
            await asyncio.to_thread(main, ["doctor", "--config.file", str(config), "--output", "json"])
            return {each["check"]: each["findings"] for each in json.loads(capsys.readouterr().out)["checks"]}

        async def well() -> dict[str, list[dict[str, Any]]] | None:
            told = await found()
            checks = ("alertmanagers", "watchdog", "prometheus", "queries", "alerts")
            return told if {one["level"] for each in checks for one in told[each]} == {"ok"} else None

        with real_monitoring(tmp_path, ports, tmp_path / "token"):
            async with Service(lambda: 0.0).listening(ports.service):
                await ready(made.alertmanager_url)
                await ready(made.prometheus_url)
                told = await until(well, "everything that is real is found well", seconds=60, every=1)
                (leads, alone) = told["routing"]
                assert leads["level"] == "ok"
                assert (
                    f'127.0.0.1:{ports.daemon}/api/v1/alertmanager; the route {{severity="critical"}}'
                    in leads["saw"]
                )
                assert "reaches nobody else" in alone["saw"]  # its route has no continue
                (tmp_path / "rules.yaml").write_text(
                    RULES.replace("sum(rate(http_requests_total[5s]))", WRONG)
                )
                (wrong, *_) = (await found())["queries"]
                assert wrong["level"] == "failed"
                assert "parse error" in wrong["saw"]
