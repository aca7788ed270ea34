"""The same history, whichever way it comes: a file or a daemon's own database."""

import argparse
from datetime import timedelta
from pathlib import Path

import pytest

from remediator.backtest.from_database import past_of_database
from remediator.backtest.lines import read_history, written
from remediator.backtest.simulate import simulate
from remediator.cli.rules import add_commands
from remediator.errors import Permanent
from remediator.store.database import Database
from tests.backtest.month import RULES, TERMS, lines, month, rulebook
from tests.backtest.month import written as as_file
from tests.support.clock import DrivenClock

SEEN = """
insert into episodes (source, fingerprint, alertname, labels, annotations, starts_at, opened_at, ends_at, closed_at,
                      target)
    select 'alertmanager', 'f' || n, 'HighErrorRate',
           '{"alertname": "HighErrorRate", "namespace": "shop", "deployment": "api"}', '{}', at,
           at + interval '5 seconds',
           case when n < 3 then at + interval '30 minutes' end, case when n < 3 then at + interval '31 minutes' end,
           'deployment/shop/api'
    from (select n, remediator_now() - make_interval(days => 5 - n) as at from generate_series(1, 3) as n) as days;
insert into episodes (source, fingerprint, alertname, labels, annotations, starts_at, opened_at, target)
    values ('alertmanager', 'p', 'ServiceHung', '{"alertname": "ServiceHung", "namespace": "shop", "pod": "web-1"}',
            '{}', remediator_now() - interval '1 hour', remediator_now() - interval '1 hour', 'deployment/shop/web');
insert into episodes (source, fingerprint, alertname, labels, annotations, starts_at, opened_at)
    values ('alertmanager', 's', 'Odd', '{"alertname": "Odd", "password": "hunter2"}', '{}',
            remediator_now() - interval '30 minutes', remediator_now() - interval '30 minutes');
insert into tenures (cluster, kind, namespace, name, uid, revision, template, began_at, began_seen, ended_at,
                     longest_available_seconds, last_seen_at, unseen)
    select cluster, 'deployment', 'shop', 'api', 'u', 'r' || n,
           '{"spec": {"containers": [{"image": "registry/app:v1"}]}}', remediator_now() - began, n > 1,
           remediator_now() - ended, 86400, remediator_now() - coalesce(ended, interval '2 hours'),
           case when ended is null then array[tstzrange(remediator_now() - interval '2 days',
                                                        remediator_now() - interval '1 day')] else '{}' end
    from (values ('default', 1, interval '20 days', interval '4 days 10 minutes'),
                 ('default', 2, interval '4 days 10 minutes', null),
                 ('elsewhere', 3, interval '3 days', null)) as told (cluster, n, began, ended);
"""


async def test_what_a_database_holds_comes_back_the_same_from_the_file_it_is_exported_to(
    database: Database, clock: DrivenClock, database_url: str, tmp_path: Path
) -> None:
    async with database.connection() as connection:
        await connection.execute(SEEN)
    past = await past_of_database(database_url, "default")
    assert (past.until, len(past.alerts), len(past.rollouts)) == (clock.now(), 5, 2)
    assert past.rollouts[0].title == "app:v1"
    assert past.alerts[-1].labels == {"alertname": "Odd", "password": "***"}
    before, after = past.rollouts
    assert before.unseen == ()
    assert [(clock.now() - begins, clock.now() - ends) for begins, ends in after.unseen] == [
        (timedelta(days=2), timedelta(days=1)),
        (timedelta(hours=2), timedelta(0)),
    ]
    exported = read_history("exported", [line.encode() for line in written(past)])
    assert exported == past
    rules = rulebook(tmp_path)
    result = simulate(past, rules, TERMS)
    assert simulate(exported, rules, TERMS) == result
    assert [(each.at, each.outcome, each.to) for each in result.decisions][:1] == [
        (past.alerts[0].received_at + timedelta(minutes=1), "might act", "app:v1")
    ]
    assert result.decisions[-1].target == "deployment/shop/web"


def test_the_command_exports_what_it_goes_through_and_says_the_same_of_either(
    real_time_database_url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import asyncio

    import asyncpg

    async def fill() -> None:
        connection = await asyncpg.connect(real_time_database_url)
        await connection.execute(SEEN)
        await connection.close()

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(fill())
    monkeypatch.chdir(tmp_path)
    Path("rules.yaml").write_text(RULES)
    assert run("rules.yaml", "--database-url", real_time_database_url, "--export", "history.jsonl") == 0
    ours = capsys.readouterr().out
    assert run("rules.yaml", "--history", "history.jsonl") == 0
    assert capsys.readouterr().out == ours
    assert "might act for HighErrorRate" in ours


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers(required=True))
    args = parser.parse_args(["rules", "backtest", *arguments])
    return int(args.run(args))


async def test_a_database_without_alerts_and_one_that_is_not_there_are_refused(database_url: str) -> None:
    with pytest.raises(Permanent, match="holds no alert"):
        await past_of_database(database_url, "default")
    with pytest.raises(Permanent, match="the database cannot be read"):
        await past_of_database("postgresql://nobody@127.0.0.1:1/none", "default")


def test_a_history_is_written_as_it_was_read() -> None:
    past = month()
    assert read_history("again", [line.encode() for line in written(past)]) == past


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"kind": "alert", "labels": {}, "startsAt": "2026-10-02T10:00:00"}, "2: startsAt: "),
        ({"kind": "alert", "labels": {}}, "2: startsAt: Field required"),
        ({"kind": "alrt"}, "2: .*alrt"),
        ({"kind": "write", "target": "pod/shop/x", "at": "2026-10-02T10:00:00Z", "by": "k"}, "2: kind 'pod'"),
        (
            {"kind": "history", "version": 1, "from": "2026-10-01T00:00:00Z", "to": "2026-10-02T00:00:00Z"},
            "second",
        ),
        (
            {
                "kind": "alert",
                "labels": {},
                "startsAt": "2026-10-02T10:00:00Z",
                "endsAt": "2026-10-02T09:00:00Z",
            },
            "2: the alert ends before it begins",
        ),
    ],
)
def test_a_line_that_is_wrong_is_named(line: dict[str, object], said: str) -> None:
    window = next(iter(lines()))
    with pytest.raises(Permanent, match=said):
        read_history("history", as_file([window, line]))


def test_a_history_without_its_first_line_is_refused() -> None:
    for told in ([], [b'{"kind":"alert","labels":{},"startsAt":"2026-10-02T10:00:00Z"}']):
        with pytest.raises(Permanent, match="the first line is"):
            read_history("history", told)
