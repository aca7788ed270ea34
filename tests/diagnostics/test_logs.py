"""logs: what lines say together, and that the newest are read however many there are."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from remediator.diagnostics.logs import Logs
from remediator.domain.log_lines import (
    Line,
    addresses,
    is_error,
    line,
    per_minute,
    signature_of,
    signatures,
    stamped,
)
from remediator.domain.value import canonical
from remediator.redaction.text import redact
from remediator.runbook.collect_diagnostics import MOST_BYTES
from tests.diagnostics.looking import looked, passes, pods_of, runs
from tests.diagnostics.written import many_lines
from tests.guards.facts import Facts
from tests.support.story import deployment

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def at(seconds: float, text: str) -> Line:
    return line(NOON + timedelta(seconds=seconds), text)


@pytest.mark.parametrize(
    ("written", "error"),
    [
        ("ERROR cannot connect to db", True),
        ("2026-01-05T12:00:00Z ERROR payments: refused", True),
        ('{"level":"error","msg":"boom"}', True),
        ("level=fatal msg=boom", True),
        ("Traceback (most recent call last):", True),
        ("java.lang.NullPointerException: at x", True),
        ("psycopg2.OperationalError: server closed", True),
        ("fatal: simulated crash", True),
        ('{"level":"info","msg":"error budget is full"}', False),
        ("INFO no error was found", False),
        ("level=debug error=nil", False),
        ("done, errors: 0", False),
        ("terrors of the deep", False),
        ("GET /error-pages 200", True),
    ],
)
def test_a_line_is_an_error_by_its_level_else_by_its_words(written: str, error: bool) -> None:
    assert is_error(written) is error


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("timeout after 300ms for order 17", "timeout after 12s for order 9418"),
        ("refused by 10.0.0.1:5432", "refused by 10.0.0.27:5432"),
        ('user "kim" not found', 'user "alex" not found'),
        ("id 3f2504e0-4f89-11d3-9a0c-0305e82c3301 lost", "id 00000000-4f89-11d3-9a0c-0305e82c3301 lost"),
        ("at 0x7ffe12", "at 0x55aa"),
    ],
)
def test_errors_that_differ_in_numbers_and_names_are_one(one: str, other: str) -> None:
    assert signature_of(one) == signature_of(other)
    assert signature_of(one) != signature_of(f"{one} again")


def test_an_error_first_seen_after_the_rollout_is_told_from_one_that_was_there_before() -> None:
    lines = [
        at(0, "starting"),
        at(10, "ERROR slow query 12 ms"),
        at(70, "ERROR slow query 14 ms"),
        at(80, "ERROR no such column"),
    ]
    new, old = signatures(lines, NOON + timedelta(seconds=60), 20)
    assert (new.signature, new.since, new.count) == ("ERROR no such column", "rollout", 1)
    assert (old.since, old.count, old.first_seen) == ("before", 2, NOON + timedelta(seconds=10))


def test_lines_that_do_not_go_back_to_before_the_rollout_prove_nothing() -> None:
    (found,) = signatures([at(70, "ERROR boom")], NOON + timedelta(seconds=60), 20)
    assert found.since == "unknown"
    (found,) = signatures([at(70, "ERROR boom")], None, 20)
    assert found.since == "unknown"


def test_lines_are_counted_by_the_minute() -> None:
    lines = [at(1, "a"), at(59, "ERROR b"), at(61, "c"), line(None, "without a time")]
    assert [(each["lines"], each["errors"]) for each in per_minute(lines, 60)] == [(2, 1), (1, 0)]
    assert len(per_minute(lines, 1)) == 1


def test_addresses_are_counted_by_the_lines_that_name_them() -> None:
    texts = [
        "login failed from 203.0.113.9",
        "203.0.113.9 203.0.113.9",
        "from 2001:db8::7",
        "v1.2.3.4.5 12:30:01",
    ]
    found = addresses([line(None, each) for each in texts], 20)
    assert found == [{"address": "203.0.113.9", "lines": 2}, {"address": "2001:db8::7", "lines": 1}]


def test_the_time_goes_from_the_line_and_what_has_none_is_kept_whole() -> None:
    text = "2026-01-05T12:00:00.123456789Z started\nno time\n2026-01-05T14:00:00+02:00 again\n"
    assert stamped("2026-13-45T99:00:00Z no such time") == [(None, "2026-13-45T99:00:00Z no such time")]
    assert stamped(text) == [(NOON, "started"), (None, "no time"), (NOON, "again")]


async def test_a_crash_is_counted_with_its_signature(facts: Facts) -> None:
    await runs(facts, "app:crash")
    evidence = await looked(facts, Logs(tail=100, previous=True))
    (found,) = evidence.details["signatures"]
    assert found["signature"] == "fatal: simulated crash"
    assert found["count"] >= 2
    assert "of them errors" in evidence.summary
    assert sum(each["errors"] for each in evidence.details["per_minute"]) == found["count"]


async def test_a_key_over_several_lines_is_redacted_although_each_line_came_with_its_time(
    facts: Facts,
) -> None:
    key = [
        "-----BEGIN RSA PRIVATE KEY-----",
        *["MIIEowIBAAKCAQEA75" * 3] * 4,
        "-----END RSA PRIVATE KEY-----",
    ]
    await runs(facts)
    with many_lines(facts, key):
        evidence = await looked(facts, Logs())
    assert "MIIEowIBAAKCAQEA75" not in str(evidence)
    assert "***" in str(evidence)


async def test_the_newest_lines_are_read_when_too_much_was_written(facts: Facts) -> None:
    await runs(facts, replicas=1)
    with many_lines(facts, [f"line {number} {'x' * 100}" for number in range(20_000)]) as asked:
        evidence = await looked(facts, Logs(tail=5000))
    (pod,) = pods_of(facts)
    lines = evidence.details[f"{pod}/app"]
    assert lines[-1].startswith("line 19999 ")
    assert 200 < len(lines) < 5000
    assert len(asked) <= 3
    assert all(int(each["limitBytes"]) <= 64 * 1024 for each in asked)


async def test_however_many_containers_there_are_what_is_kept_fits_the_budget(facts: Facts) -> None:
    made = deployment("app:v1", replicas=3)
    (one,) = made["spec"]["template"]["spec"]["containers"]
    made["spec"]["template"]["spec"]["containers"] = [{**one, "name": f"app-{number}"} for number in range(5)]
    facts.emulator.create(made)
    await passes(facts, 60)
    with many_lines(facts, [f"{number} {'x' * 60}" for number in range(5000)]) as asked:
        evidence = await looked(facts, Logs(tail=5000, previous=True))
    assert len(evidence.details) == 32, "each of 15 containers twice, and what is counted"
    assert all(evidence.details[title][-1].startswith("4999 ") for title in list(evidence.details)[:30])
    assert len(canonical(evidence.details)) <= MOST_BYTES
    assert sum(int(each["limitBytes"]) for each in asked if each["tailLines"] == "5000") <= MOST_BYTES


async def test_a_grep_keeps_only_its_lines_in_everything_that_is_counted(facts: Facts) -> None:
    await runs(facts, replicas=1)
    written = [
        "login failed from 203.0.113.9",
        "ERROR other from 203.0.113.8",
        "login failed from 203.0.113.9",
    ]
    with many_lines(facts, written):
        evidence = await looked(facts, Logs(grep="(?i)login|auth", addresses=True))
    assert evidence.details["addresses"] == [{"address": "203.0.113.9", "lines": 2}]
    assert evidence.details["per_minute"][0]["lines"] == 2


@pytest.mark.parametrize("written", [["\x85" * 30_000], ["ERROR " + '"a" ' * 490] * 31])
async def test_others_get_their_turn_while_large_logs_are_read(facts: Facts, written: list[str]) -> None:
    """Told by what the loop's own thread works in one turn, whatever else the machine does meanwhile."""
    began = time.thread_time()
    lines = [line(None, part) for part in redact("\n".join(written)).splitlines()]
    signatures(lines, None, 20)
    per_minute(lines, 60)
    takes = time.thread_time() - began
    turns, looking = [0.0], True

    async def watch() -> None:
        before = time.thread_time()
        while looking:
            await asyncio.sleep(0)
            turns.append(time.thread_time() - before)
            before = time.thread_time()

    await runs(facts, replicas=1)
    with many_lines(facts, written):
        watching = asyncio.create_task(watch())
        await looked(facts, Logs())
        looking = False
        await watching
    assert max(turns) < takes / 3
