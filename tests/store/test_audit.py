"""Whatever is done is recorded with it, in chains that show when something was taken away or written over."""

import asyncio
import io
import json
import threading
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from remediator.cli.main import main
from remediator.runbook.audit_printer import AuditPrinter
from remediator.store import attempts, audit, audit_verify, interventions, pauses
from remediator.store.attempts import Attempt
from remediator.store.audit import Record
from remediator.store.audit_verify import Verified
from remediator.store.database import Database
from remediator.store.pauses import Asked
from tests.support.intents import OWNER, approved, intend


async def records(database: Database) -> list[Record]:
    async with database.transaction() as connection:
        return [each async for each in audit.exported(connection, 0)]


async def verified(database: Database) -> Verified:
    async with database.transaction() as connection:
        return await audit_verify.verify(connection, {})


async def acted(database: Database, name: str = "api") -> Attempt:
    """A run intended a change and saw it applied."""
    run = await approved(database, name)
    made = await intend(database, run)
    assert isinstance(made, Attempt)
    async with database.transaction() as connection:
        assert await attempts.record_outcome(connection, run, OWNER, made, "applied", "the object says so")
    return made


async def paused(database: Database) -> None:
    """Kim paused everything, and went on."""
    async with database.transaction() as connection:
        asked = Asked(kind="pause", scope="everything", value="", who="kim", why="a release")
        made = await pauses.request(connection, asked)
        assert made is not None
        assert await pauses.clear(connection, made, "sam", "it is out")


async def test_what_is_done_has_its_record(database: Database) -> None:
    made = await acted(database)
    await paused(database)
    found = await records(database)
    assert [(each.chain, each.place, each.kind, each.subject) for each in found] == [
        ("run/1", 1, "intent", f"attempt/{made.id}"),
        ("run/1", 2, "outcome", f"attempt/{made.id}"),
        ("daemon", 1, "pause", "pause/1"),
        ("daemon", 2, "resume", "pause/1"),
    ]
    said: list[dict[str, Any]] = [json.loads(each.record) for each in found]
    assert said[0]["target"] == "default/deployment/shop/api"
    assert said[0]["because"] == {"kind": "alert", "source": "alertmanager", "fingerprint": "api"}
    assert (said[1]["outcome"], said[2]["why"], said[3]["who"]) == ("applied", "a release", "sam")
    assert await verified(database) == Verified(records=4, chains=2, effects=1, breaks=())


async def test_what_is_not_committed_has_no_record_and_what_has_no_record_is_not_committed(
    database: Database,
) -> None:
    run = await approved(database, "api")
    plan = run.plan
    assert plan is not None

    async def goes_wrong() -> None:
        async with database.transaction() as connection:
            made = await attempts.commit_intent(connection, run, OWNER, 0, plan.changes[0], (), None)
            assert isinstance(made, Attempt)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await goes_wrong()
    assert await records(database) == []
    async with database.connection() as connection:
        await connection.execute("alter table audit add constraint no_room check (false) not valid")
    with pytest.raises(asyncpg.CheckViolationError):
        await intend(database, run)
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from attempts") == 0


@pytest.mark.parametrize(
    "statement",
    [
        "update audit set record = '{}'",
        "delete from audit",
        "truncate audit",
        "delete from audit_heads",
        "truncate audit_heads",
    ],
)
async def test_a_record_is_neither_changed_nor_taken_away(database: Database, statement: str) -> None:
    await acted(database)
    async with database.connection() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only ever added to"):
            await connection.execute(statement)


async def test_many_at_once_make_one_chain(database: Database) -> None:
    async def pause(name: str) -> None:
        async with database.transaction() as connection:
            asked = Asked(kind="pause", scope="rule", value=name, who="kim", why="why not", name=name)
            assert await pauses.request(connection, asked) is not None

    await asyncio.gather(*(pause(f"p{number}") for number in range(20)))
    assert [each.place for each in await records(database)] == list(range(1, 21))
    assert (await verified(database)).breaks == ()


async def test_what_a_person_does_to_a_run_is_in_its_chain(database: Database) -> None:
    run = await approved(database, "api")
    await intend(database, run)
    async with database.transaction() as connection:
        await connection.execute("update runs set state = 'UNKNOWN', ended_at = remediator_now()")
        assert await interventions.settle(connection, run.id, True, "kim", "its annotation says so") is None
    found = [(each.kind, json.loads(each.record).get("why")) for each in await records(database)]
    assert found[0][0] == "intent"
    assert ("outcome", "kim says that it was made: its annotation says so") in found
    assert ("ended", "settled: kim says that it was made: its annotation says so") in found
    assert (await verified(database)).breaks == ()


async def test_every_record_is_printed_and_again_only_after_a_crash(database: Database) -> None:
    await acted(database)
    out = io.StringIO()
    printer = AuditPrinter(database, "one", out)
    async with database.connection() as connection:
        before = await audit.unprinted(connection, 10)
    await printer.tick()
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [each["hash"] for each in lines] == [each.hash for each in before]
    assert lines[0]["record"]["attempt"] == "1/0/0"
    await paused(database)
    await printer.tick()
    assert len(out.getvalue().splitlines()) == 4
    other = io.StringIO()
    await AuditPrinter(database, "two", other).tick()
    assert other.getvalue() == ""


async def test_an_output_that_nobody_reads_is_waited_for_by_one_thread(database: Database) -> None:
    await acted(database)
    out = Unread()
    printer = AuditPrinter(database, "one", out)
    first = asyncio.create_task(printer.tick())
    assert await asyncio.to_thread(out.begun.wait, 5)
    threads = threading.active_count()
    for _ in range(3):
        with pytest.raises(TimeoutError, match="nobody reads"):
            await printer.tick()
    assert threading.active_count() == threads
    out.drained.set()
    await first
    assert len(out.getvalue().splitlines()) == len(await records(database))


class Unread(io.StringIO):
    """A pipe that is full until somebody reads."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.drained = threading.Event(), threading.Event()

    def write(self, text: str) -> int:
        self.begun.set()
        assert self.drained.wait(30)
        return super().write(text)


def test_the_command_says_whether_it_is_whole(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def on_it(statements: str) -> None:
        async def run() -> None:
            connection = await asyncpg.connect(database_url)
            try:
                await connection.execute(statements)
            finally:
                await connection.close()

        asyncio.run(run())

    url = ["--database-url", database_url]
    pause = "insert into pauses (scope, name, who, why) values ('everything', 'p', 'kim', 'why \u202e not')"
    on_it(pause)
    assert main(["audit", "verify", *url]) == 0
    assert capsys.readouterr().out == "1 records in 1 chains, 0 effects: whole\n"
    assert main(["audit", "export", *url]) == 0
    kept = tmp_path / "kept"
    kept.write_text(capsys.readouterr().out)
    assert kept.read_text().isascii()
    assert main(["audit", "verify", *url, "--against", str(kept)]) == 0
    on_it(
        "set session_replication_role = replica; delete from audit; delete from audit_heads; delete from pauses"
    )
    assert main(["audit", "verify", *url]) == 0
    capsys.readouterr()
    assert main(["audit", "verify", *url, "--against", str(kept)]) == 1
    assert capsys.readouterr().out.startswith("daemon place 1: it was exported, and is missing\n")
    on_it("set session_replication_role = replica;" + pause)
    assert main(["audit", "verify", *url]) == 1
    assert capsys.readouterr().out.startswith("pause/2: the pause has no record\n")
    assert main(["audit", "verify", "--database-url", "postgresql://127.0.0.1:1/none"]) == 2
    kept.write_text("no json\n")
    assert main(["audit", "verify", *url, "--against", str(kept)]) == 2
