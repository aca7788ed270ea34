"""The daemon as an operator handles it: reload by SIGHUP and over HTTP, and an orderly end."""

import signal
from pathlib import Path

import aiohttp
import pytest

from tests.processes.daemons import RULES, TOKEN, Daemon, scene
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(120)


async def rule_names(daemon: Daemon) -> list[str]:
    return [each["rule"] for each in (await daemon.get("/api/v1/rules"))["rules"]]


async def test_sighup_and_post_reload_the_rules_and_sigterm_ends_it_in_order(
    tmp_path: Path, real_time_database_url: str
) -> None:
    async with scene(tmp_path, real_time_database_url) as world:
        with world.daemon() as daemon:
            await daemon.ready()
            assert await rule_names(daemon) == ["bad-release"]

            (tmp_path / "rules.yaml").write_text(RULES.replace("bad-release", "by-signal"))
            daemon.process.send_signal(signal.SIGHUP)

            async def reloaded() -> bool:
                return await rule_names(daemon) == ["by-signal"]

            await until(reloaded, "SIGHUP reloads the rules", seconds=15)

            (tmp_path / "rules.yaml").write_text("rules: [{rule: broken}]\n")
            headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
            async with aiohttp.ClientSession(headers=headers) as session:
                async with session.post(f"{daemon.url}/-/reload") as answer:
                    assert answer.status == 409
                    assert "rules.yaml:1" in await answer.text()
                assert await rule_names(daemon) == ["by-signal"]
                (tmp_path / "rules.yaml").write_text(RULES)
                async with session.post(f"{daemon.url}/-/reload") as answer:
                    assert answer.status == 200
            assert await rule_names(daemon) == ["bad-release"]

            daemon.process.terminate()
            assert daemon.process.wait(timeout=25) == 0
            assert "stopping" in daemon.log.read_text()


async def test_a_pause_outlives_sighup_a_reload_and_a_restart(
    tmp_path: Path, real_time_database_url: str
) -> None:
    async with scene(tmp_path, real_time_database_url) as world:
        with world.daemon() as daemon:
            await daemon.ready()
            asked = {"scope": "everything", "value": "", "why": "migration", "name": "stop"}
            async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session:
                async with session.post(f"{daemon.url}/api/v1/pauses", json=asked) as answer:
                    assert answer.status == 201
                (tmp_path / "rules.yaml").write_text(RULES.replace("bad-release", "by-signal"))
                daemon.process.send_signal(signal.SIGHUP)

                async def reloaded() -> bool:
                    return await rule_names(daemon) == ["by-signal"]

                await until(reloaded, "SIGHUP reloads the rules", seconds=15)
                async with session.post(f"{daemon.url}/-/reload", json={}) as answer:
                    assert answer.status == 200
            daemon.kill()
        with world.daemon() as another:
            await another.ready()
            (left,) = (await another.get("/api/v1/pauses"))["pauses"]
            assert (left["name"], left["in_force"]) == ("stop", True)
