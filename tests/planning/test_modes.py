"""How far a rule may go: probation, what keeps it, ceilings, and what people are told of it, once."""

from pathlib import Path

import pytest

from remediator.domain.notice import Notice
from remediator.domain.rule_mode import RuleMode
from remediator.planning.arming import Arming
from remediator.planning.policy import Policy
from remediator.planning.rules_in_force import RulesInForce
from remediator.settings.load import Settings
from remediator.store import rule_versions
from remediator.store.database import Database
from remediator.telemetry import Metrics
from tests.support.clock import DrivenClock

DAY = 24 * 60 * 60.0
RULE = """
rules:
  - rule: bad-release
    mode: act
    match: ['{alertname=~"Slow|Failing", job="api"}']
    guards: [cooldown: {for: 30m}]
    actions: [rollback]
    verifications: [alert_cleared]
"""
NARROWER = RULE.replace("30m", "1h").replace("Slow|Failing", "Slow")
WIDER = RULE.replace("30m", "5m")


class Replica:
    """The rules of one replica, which read one file."""

    def __init__(self, folder: Path, database: Database, clock: DrivenClock, **settings: object) -> None:
        folder.mkdir(exist_ok=True)
        self.file = folder / "rules.yaml"
        self.database = database
        self.clock = clock
        self.metrics = Metrics()
        policy = Policy.of(Settings.model_validate(settings))
        self.rules = RulesInForce([folder], database, self.metrics, clock, policy, None)

    async def load(self, text: str) -> RuleMode:
        self.file.write_text(text)
        await self.rules.reload()
        return await self.mode()

    async def mode(self) -> RuleMode:
        return (await self.rules.modes())[0]

    async def watch(self, seconds: float) -> None:
        """Time passes, and this replica looks at alerts all the while."""
        while seconds > 0:
            moved = min(seconds, 60 * 60)
            seconds -= moved
            await self.clock.advance(moved)
            await self.rules.watched()

    async def approve(self) -> None:
        async with self.database.transaction() as connection:
            assert await rule_versions.approve(connection, (await self.mode()).digest, "kim")


@pytest.fixture
def replica(tmp_path: Path, database: Database, clock: DrivenClock) -> Replica:
    return Replica(tmp_path / "a", database, clock)


async def test_a_new_rule_acts_after_a_week_in_shadow(replica: Replica, clock: DrivenClock) -> None:
    mode = await replica.load(RULE)
    assert (mode.effective, "on probation until 2026-01-12 12:00 UTC" in mode.why) == ("shadow", True)
    await replica.watch(7 * DAY - 1)
    assert (await replica.mode()).effective == "shadow"
    await replica.watch(1)
    assert ((await replica.mode()).effective, (await replica.mode()).why) == ("act", "its probation is over")


async def test_time_in_which_no_daemon_looked_is_no_probation(
    replica: Replica, tmp_path: Path, database: Database, clock: DrivenClock
) -> None:
    await replica.load(RULE)
    await replica.watch(4 * DAY)
    await clock.advance(30 * DAY)
    restarted = Replica(tmp_path / "a", database, clock)
    assert (await restarted.load(RULE)).effective == "shadow"
    await restarted.watch(3 * DAY - 60)
    assert (await restarted.mode()).effective == "shadow"
    await restarted.watch(60)
    assert (await restarted.mode()).effective == "act"
    await clock.advance(30 * DAY)
    assert (await Replica(tmp_path / "a", database, clock).load(RULE)).effective == "act", "over is over"


async def test_an_approval_ends_the_probation_of_this_version_only(replica: Replica) -> None:
    await replica.load(RULE)
    await replica.approve()
    assert ((await replica.mode()).effective, (await replica.mode()).why) == ("act", "approved by kim")
    assert (await replica.load(WIDER)).effective == "shadow"
    assert (await replica.load(RULE)).effective == "act"


async def test_a_version_that_only_narrows_keeps_the_standing_and_says_whose_it_is(replica: Replica) -> None:
    first = await replica.load(RULE)
    await replica.approve()
    later = await replica.load(NARROWER)
    assert later.digest != first.digest
    assert (later.effective, later.standing.inherits_from) == ("act", first.digest)
    assert first.digest in later.why


async def test_a_version_that_only_narrows_goes_on_with_the_probation(
    replica: Replica, clock: DrivenClock
) -> None:
    await replica.load(RULE)
    await replica.watch(5 * DAY)
    assert (await replica.load(NARROWER)).effective == "shadow"
    await replica.watch(2 * DAY)
    assert (await replica.mode()).effective == "act"


async def test_a_version_before_that_cannot_be_read_any_more_is_widened(replica: Replica) -> None:
    await replica.load(RULE)
    await replica.approve()
    async with replica.database.connection() as connection:
        await connection.execute("update rule_versions set content = $1", {"rule": "of an older release"})
    assert (await replica.load(NARROWER)).effective == "shadow"


async def test_narrowing_and_widening_again_is_a_widening(replica: Replica, clock: DrivenClock) -> None:
    await replica.load(NARROWER)
    await replica.watch(7 * DAY)
    assert (await replica.mode()).effective == "act"
    assert (await replica.load(RULE)).effective == "shadow"


async def test_another_workload_for_its_alerts_is_a_widening_wherever_it_is_written(replica: Replica) -> None:
    await replica.load(RULE)
    await replica.approve()
    entry = "targets: [{match: ['{job=\"api\"}'], target: deployment/shop/other}]\n"
    (replica.file.parent / "targets.yaml").write_text(entry)
    assert (await replica.load(RULE)).effective == "shadow"
    (replica.file.parent / "targets.yaml").write_text(entry.replace("api", "search"))
    assert (await replica.load(RULE)).effective == "act"


async def test_time_out_of_force_or_in_mode_off_is_no_probation(replica: Replica, clock: DrivenClock) -> None:
    for absent in (RULE.replace("bad-release", "other"), RULE.replace("mode: act", "mode: 'off'")):
        await replica.load(RULE)
        await replica.watch(6 * DAY)
        await replica.load(absent)
        await replica.watch(2 * DAY)
        assert (await replica.load(RULE)).effective == "shadow"
    await replica.watch(7 * DAY)
    await replica.load(RULE.replace("mode: act", "mode: 'off'"))
    assert (await replica.load(RULE)).effective == "act", "what was over stays over"


async def test_the_lowest_of_mode_ceilings_and_standing_holds(
    tmp_path: Path, database: Database, clock: DrivenClock
) -> None:
    replica = Replica(
        tmp_path / "a",
        database,
        clock,
        probation="0s",
        ceiling="ask",
        ceilings={"shop": "shadow", "web": "act"},
    )
    assert ((await replica.load(RULE)).effective, (await replica.mode()).why) == ("ask", "the ceiling is ask")
    for namespace, mode in {"shop": "shadow", "web": "ask", "other": "ask"}.items():
        found = await replica.rules.mode_in("bad-release", namespace)
        assert found is not None
        assert found.effective == mode, namespace
    assert await replica.rules.mode_in("another", "shop") is None


async def test_the_metric_has_both_modes(replica: Replica) -> None:
    await replica.load(RULE)
    labels = {"rule": "bad-release", "configured": "act", "effective": "shadow", "held_by": "probation"}
    assert replica.metrics.registry.get_sample_value("remediator_rule_mode", labels) == 1


async def told(database: Database) -> list[Notice]:
    async with database.connection() as connection:
        rows = await connection.fetch("select payload from outbox order by id")
    return [Notice(**row["payload"]) for row in rows]


async def test_being_disarmed_and_armed_again_is_told_once_whatever_starts_anew(
    tmp_path: Path, database: Database, clock: DrivenClock
) -> None:
    replica = Replica(tmp_path / "a", database, clock)
    await replica.load(RULE)

    async def every_replica_looks() -> list[str]:
        for owner in ("a", "b", "a anew"):
            arming = Arming(database, replica.rules, owner, ("webhook:0",))
            for _ in range(3):
                await arming.tick()
            await clock.advance(61)
        return [each.title for each in await told(database)]

    disarmed = "[DISARMED] rule bad-release may not go as far as its file says"
    assert await every_replica_looks() == [disarmed]
    assert "on probation until" in (await told(database))[0].text
    await replica.approve()
    armed = "[ARMED] rule bad-release may go as far again as its file says"
    assert await every_replica_looks() == [disarmed, armed]
    await replica.load(WIDER)
    assert await every_replica_looks() == [disarmed, armed, disarmed]


async def test_a_rule_that_was_gone_and_comes_back_disarmed_is_told_again(
    replica: Replica, database: Database, clock: DrivenClock
) -> None:
    arming = Arming(database, replica.rules, "a", ("webhook:0",))
    for text in (RULE, RULE.replace("bad-release", "other"), RULE):
        await replica.load(text)
        await arming.tick()
        await clock.advance(15)
    assert [each.title.split()[2] for each in await told(database)] == ["bad-release", "other", "bad-release"]


async def test_all_rules_that_a_ceiling_disarms_are_one_notice(
    tmp_path: Path, database: Database, clock: DrivenClock
) -> None:
    one = RULE.partition("rules:")[2]
    many = "rules:" + "".join(one.replace("bad-release", f"rule-{number}") for number in range(30))
    replica = Replica(tmp_path / "a", database, clock, probation="0s", ceiling="shadow")
    await replica.load(many)
    await Arming(database, replica.rules, "a", ("webhook:0",)).tick()
    (notice,) = await told(database)
    assert "30 rules" in notice.title
    assert "And 10 more" in notice.text


async def test_a_rule_that_is_in_shadow_by_its_own_file_is_not_told(
    replica: Replica, database: Database
) -> None:
    await replica.load(RULE.replace("mode: act", "mode: shadow"))
    await Arming(database, replica.rules, "a", ("webhook:0",)).tick()
    assert await told(database) == []
