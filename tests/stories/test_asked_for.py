"""A run that a person asked for: the same stages and the same guards, but for those that judge the alert."""

from remediator.domain.run_view import TriggerPerson
from remediator.domain.target import Target
from remediator.store import incidents, runs
from tests.support.story import Story

TARGET = Target(cluster="default", kind="deployment", namespace="shop", name="api")


async def asked_for(story: Story, who: str = "alice") -> None:
    """Somebody asks for the only rule, and every loop works."""
    daemon = story.daemon
    (rule,) = daemon.rules.rules()
    target = TARGET.model_copy(update={"cluster": daemon.settings.cluster.name})
    async with daemon.database.transaction() as connection:
        incident_id, _ = await incidents.attach(
            connection,
            subject=f"{target.cluster}/{target}",
            title="asked for",
            cluster=target.cluster,
            target=target,
            severity="",
        )
        await runs.create(
            connection,
            incident_id=incident_id,
            rule=rule,
            mode="act",
            target=target,
            trigger=TriggerPerson(who=who, why="checkout is broken", at=story.clock.now()),
            depends_on=(),
        )
    await story.settle()


async def guards_asked(story: Story) -> set[str]:
    return {str(each.details["guard"]) for each in await story.journal() if each.kind == "guard"}


async def test_without_an_alert_the_last_version_known_to_be_good_is_put_back(story: Story) -> None:
    await story.bad_release()
    await asked_for(story)
    assert story.effects() == ["app:v1"]
    asked = await guards_asked(story)
    assert {"opted_in", "floor", "human_active", "ping_pong"} <= asked
    assert not {"alert_still_firing", "caused_by_rollout"} & asked
    await story.let(5 * 60)
    assert (await story.run()).state == "RESOLVED"
    async with story.daemon.database.connection() as connection:
        changed = await connection.fetchval("select payload->>'text' from outbox where key like '%effect/%'")
    assert "alice asked for this at" in changed
    assert "checkout is broken" in changed


async def test_a_version_in_whose_time_any_alert_began_is_not_gone_back_to(story: Story) -> None:
    await story.create("app:v1")
    await story.let(35 * 60)
    story.release("app:v2")
    await story.let(10 * 60)
    story.emulator.patch("namespaces", "", "shop", {"metadata": {"labels": {"remediator.io/enabled": "no"}}})
    await story.fire(alertname="HighErrorRate")
    await story.resolve(alertname="HighErrorRate")
    enabled = {"metadata": {"labels": {"remediator.io/enabled": "true"}}}
    story.emulator.patch("namespaces", "", "shop", enabled)
    await story.let(40 * 60)
    story.release("app:v3")
    await story.let(4 * 60)
    await asked_for(story)
    assert story.effects() == ["app:v1"]


async def test_it_is_not_verified_while_an_alert_of_the_target_is_open(story: Story) -> None:
    await story.bad_release()
    await asked_for(story)
    await story.fire()
    await story.let(5 * 60)
    run = await story.run()
    assert run.state == "ACTED"
    assert any("HighErrorRate is open on deployment/shop/api" in each.text for each in await story.journal())
    await story.resolve()
    await story.let(3 * 60)
    assert (await story.run()).state == "RESOLVED"


async def test_absence_of_alerts_means_nothing_while_nobody_watches(story: Story) -> None:
    await story.bad_release()
    story.alertmanager.resolve({"alertname": "Watchdog"})
    await story.let(6 * 60)
    await asked_for(story)
    await story.let(50 * 60)
    run = await story.run()
    assert run.state == "ESCALATED"
    assert "which proves nothing: Watchdog does not fire" in (run.why or "")
    assert story.effects() == ["app:v1"]
