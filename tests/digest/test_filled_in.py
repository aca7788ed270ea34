"""A digest of a world in which every source answers."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from remediator.digest.compose import SECTIONS
from remediator.sandbox.postgres import PostgresServer
from tests.digest.full import RULES, full, lines, settings
from tests.support.clock import DrivenClock
from tests.support.story import Story, told
from tests.support.terminal import Terminal


@pytest.fixture
async def story(
    tmp_path: Path, database_url: str, clock: DrivenClock, server: PostgresServer
) -> AsyncIterator[Story]:
    async with told(tmp_path, database_url, clock, RULES, settings(tmp_path, server)) as made:
        await full(made)
        yield made


async def test_the_daily_digest_has_every_section_of_a_day(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal(story, tmp_path / "kim-of-the-story", capsys)
    status, out, _ = await terminal.type("digest", "daily", "--output", "json")
    digest = json.loads(out)
    assert (status, digest["period"]) == (1, "daily")
    assert (digest["begin"], digest["end"]) == ("2026-01-04T12:00:30Z", "2026-01-05T12:00:30Z")
    assert [each["name"] for each in digest["sections"]] == [
        "slos",
        "error_rates",
        "alerts",
        "resource_use",
        "security_events",
        "slow_statements",
        "backups",
        "locked_targets",
        "rules",
    ]
    assert [each["name"] for each in digest["sections"] if each["state"] == "unknown"] == []
    assert lines(digest, "slos") == [
        "look: checkout/availability: -10% of its error budget left, -50.0% a day"
    ]
    assert lines(digest, "error_rates") == [
        "look: checkout/availability: 0.250% of events went wrong, 0.100% may"
    ]
    full_one, of_all = lines(digest, "resource_use")
    assert full_one.startswith("look: shop: app of api-")
    assert full_one.endswith(" is at 98% of its cpu limit")
    assert of_all == "fine: shop: 0.50 cores and 64 MiB in 2 pods"
    assert lines(digest, "security_events") == [
        *["look: orders: failed_logins: who ***, times 10"] * 3,
        "fine: remediator: nobody had anything done",
    ]
    assert lines(digest, "backups") == [
        "look: orders: orders-7 is 30.0 hours old and verified, which is older than a day"
    ]
    slowest = lines(digest, "slow_statements")
    assert len(slowest) == 5
    assert "fine: orders: " in slowest[0]
    assert " of all time, " in slowest[0]


async def test_the_weekly_digest_adds_what_is_looked_at_once_a_week(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal(story, tmp_path / "kim-of-the-story", capsys)
    status, out, _ = await terminal.type("digest", "weekly", "--output", "json")
    digest = json.loads(out)
    assert (status, digest["begin"]) == (1, "2025-12-29T12:00:30Z")
    assert [each["name"] for each in digest["sections"]] == [each.name for each in SECTIONS]
    assert lines(digest, "error_rates") == [
        "look: checkout/availability: 0.250% of events went wrong, 0.100% may"
    ]
    assert lines(digest, "performance") == [
        "look: shop: app of api-1 throttled in 40% of periods",
        "look: shop: app of api-1 restarted 3 times",
    ]
    assert lines(digest, "capacity") == [
        "look: memory asked for: 90% ███████████████",
        "look: volume shop/orders-data: 70% ▃▃▄▄▄▄▄▅▅▅▅▆▆▆▆, full in 6 days if it goes on so",
        "fine: processor asked for: 30% ▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃",
    ]
    assert lines(digest, "access") == ["fine: orders: addresses: address 10.0.0.1/32"]
    databases = lines(digest, "databases")
    assert "look: orders: fsync is off" in databases
    assert any("largest table public.orders" in each for each in databases)
    assert any(" of 400 connections taken" in each for each in databases)
    assert any("orders_customer_again" in each for each in databases)
    assert any("procedure update_dependencies" in each for each in lines(digest, "left_to_people"))


async def test_people_get_text_that_says_first_what_is_worth_a_look(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal(story, tmp_path / "kim-of-the-story", capsys)
    status, out, _ = await terminal.type("digest", "daily")
    assert status == 1
    written = out.splitlines()
    assert written[0] == "daily digest from 2026-01-04 12:00 to 2026-01-05 12:00 UTC"
    begin = written.index("Resource use")
    assert [each.split()[0] for each in written[begin + 1 : begin + 3]] == ["look", "fine"]
    assert written[-1] == "7 to look at, 0 not known"
