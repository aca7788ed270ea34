"""What keeps the daemon from acting, and that it says so; and that holding is not forgetting."""

from pathlib import Path

import pytest

from remediator.sandbox.prometheus import AlertingRule
from tests.support.clock import DrivenClock
from tests.support.story import RESTART, ROLLBACK, Story, told


async def refused(story: Story, state: str, sentence: str) -> None:
    run = await story.run()
    assert run.state == state, run.why
    assert sentence in (run.why or "")
    assert story.effects() == []


async def test_a_namespace_that_has_not_opted_in_is_left_alone(story: Story) -> None:
    await story.bad_release()
    story.emulator.patch("namespaces", "", "shop", {"metadata": {"labels": {"remediator.io/enabled": None}}})
    await story.fire()
    await refused(story, "BLOCKED", "has not opted in")


async def test_an_alert_silenced_after_receipt_holds_until_the_silence_ends(story: Story) -> None:
    await story.bad_release()
    story.alertmanager.fire({"alertname": "HighErrorRate", "namespace": "shop", "deployment": "api"})
    sent = story.alertmanager.notifications()
    silence = story.alertmanager.silence({"alertname": "HighErrorRate"})
    await story.alertmanager.deliver(
        f"{story.url}/api/v1/alertmanager", token="story-token", notifications=sent
    )
    await story.settle()
    await refused(story, "PROPOSED", "silenced or inhibited")
    await story.let(60)
    story.alertmanager.unsilence(silence)
    await story.let(60)
    assert story.effects() == ["app:v1"]


async def test_without_alertmanager_nothing_is_done_and_it_is_said(story: Story) -> None:
    await story.bad_release()
    story.alertmanager.fire({"alertname": "HighErrorRate", "namespace": "shop", "deployment": "api"})
    sent = story.alertmanager.notifications()
    story.alertmanager.status = 503
    await story.alertmanager.deliver(
        f"{story.url}/api/v1/alertmanager", token="story-token", notifications=sent
    )
    await story.settle()
    await refused(story, "PROPOSED", "which is too few")
    story.alertmanager.status = None
    await story.let(60)
    assert story.effects() == ["app:v1"]


async def test_an_alert_that_clears_while_held_cancels_the_run(story: Story) -> None:
    await story.bad_release()
    story.emulator.patch(
        "namespaces", "", "shop", {"metadata": {"annotations": {"remediator.io/paused": "wait"}}}
    )
    await story.fire()
    await story.resolve()
    await story.let(60)
    await refused(story, "CANCELLED", "cleared before anything was changed")


async def test_what_cannot_be_done_for_an_hour_is_handed_over(story: Story) -> None:
    await story.bad_release()
    story.emulator.patch(
        "namespaces", "", "shop", {"metadata": {"annotations": {"remediator.io/paused": "wait"}}}
    )
    await story.fire()
    await story.let(65 * 60, step=60)
    await refused(story, "BLOCKED", "it did not become possible")


async def test_a_held_run_does_not_write_to_the_cluster(story: Story) -> None:
    await story.bad_release()
    before = len(story.emulator.effects)
    story.emulator.patch(
        "namespaces", "", "shop", {"metadata": {"annotations": {"remediator.io/paused": "wait"}}}
    )
    await story.fire()
    await story.let(10 * 60)
    written = [each for each in story.emulator.effects[before:] if each.user == "remediator"]
    assert written == []


async def test_a_rollout_that_may_still_succeed_is_not_disturbed(story: Story) -> None:
    await story.create("app:v1")
    await story.soak(35 * 60)
    story.release("app:never-ready-v2")
    await story.let(30)
    await story.fire()
    await refused(story, "PROPOSED", "a rollout is in progress")
    await story.let(4 * 60)
    assert story.effects() == ["app:v1"]


async def test_a_stuck_rollout_is_not_restarted(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, RESTART) as story:
        await story.create("app:v1")
        story.release("app:missing-v2")
        await story.let(60)
        await story.fire()
        await refused(story, "BLOCKED", "restart cannot help")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"protected_namespaces": ["shop"]}, "namespace shop is protected"),
        ({"protected_targets": ["deployment/shop/api"]}, "protected by name"),
        ({"cluster": {"name": "prod", "label": "cluster"}}, "has no label 'cluster'"),
    ],
)
async def test_what_is_protected_or_of_another_cluster_is_left_alone(
    tmp_path: Path, database_url: str, clock: DrivenClock, settings: dict[str, object], sentence: str
) -> None:
    async with told(tmp_path, database_url, clock, ROLLBACK, settings) as story:
        await story.bad_release()
        await story.fire()
        await refused(story, "BLOCKED", sentence)


async def test_a_restart_does_not_count_as_rolling_away_from_its_version(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    rules = ROLLBACK + RESTART.removeprefix("\nrules:").replace("HighErrorRate", "Hung")
    async with told(tmp_path, database_url, clock, rules) as story:
        await story.create("app:v1")
        await story.soak(35 * 60)
        await story.fire(alertname="Hung")
        await story.resolve(alertname="Hung")
        await story.let(40 * 60)
        story.release("app:v2")
        await story.let(4 * 60)
        await story.fire()
        assert story.effects() == ["app:v1", "app:v1"]


async def test_while_prometheus_does_not_say_how_long_the_rule_waited_it_is_asked_again(story: Story) -> None:
    await story.create("app:v1")
    await story.soak(35 * 60)
    story.release("app:v2")
    await story.let(40 * 60)
    story.prometheus.rules = [AlertingRule("HighErrorRate", duration=15 * 60)]
    story.prometheus.status = 503
    await story.fire()
    await refused(story, "PROPOSED", "does not answer how long the alert's own rule waited")
    story.prometheus.status = None
    await story.let(60)
    assert story.effects() == ["app:v1"]


async def test_a_limit_holds_the_second_effect(tmp_path: Path, database_url: str, clock: DrivenClock) -> None:
    rules = RESTART.replace("actions:", "guards: [{limit: {effects: 1, per: 6h, of: target}}]\n    actions:")
    async with told(tmp_path, database_url, clock, rules) as story:
        await story.create("app:v1")
        await story.fire()
        await story.resolve()
        await story.let(30 * 60)
        assert (await story.run()).state == "RESOLVED"
        await story.fire()
        run = await story.run()
        assert run.state == "PROPOSED"
        assert "the limit of 1 effects per 6h of target is reached" in (run.why or "")
        assert story.effects() == ["app:v1"]


async def test_a_cooldown_holds_the_second_effect_until_it_is_over(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    rules = RESTART.replace("actions:", "guards: [{cooldown: {for: 50m}}]\n    actions:")
    async with told(tmp_path, database_url, clock, rules) as story:
        await story.create("app:v1")
        await story.fire()
        await story.resolve()
        await story.let(20 * 60)
        await story.fire()
        await story.let(10 * 60)
        assert len(story.effects()) == 1
        await story.let(25 * 60)
        assert len(story.effects()) == 2


@pytest.mark.parametrize(("mode", "state"), [("shadow", "SHADOWED"), ("ask", "CLEARED")])
async def test_only_mode_act_acts(
    tmp_path: Path, database_url: str, clock: DrivenClock, mode: str, state: str
) -> None:
    rules = ROLLBACK.replace("mode: act", f"mode: {mode}")
    async with told(tmp_path, database_url, clock, rules) as story:
        await story.bad_release()
        await story.fire()
        await story.let(60)
        run = await story.run()
        assert run.state == state
        assert [each for each in story.emulator.effects if each.user == "remediator" and each.claim] == []
        assert story.effects() == []


async def test_a_rule_on_probation_stays_in_shadow_and_shows_the_whole_plan(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, ROLLBACK, {"probation": "7d"}) as story:
        await story.bad_release()
        await story.fire()
        run = await story.run()
        assert (run.mode, run.state) == ("shadow", "SHADOWED")
        assert "it would have acted: every guard allows it" in (run.why or "")
        kinds = {line.kind for line in await story.journal()}
        assert {"evidence", "proposed", "guard"} <= kinds
        assert story.effects() == []


async def test_alerts_taken_without_authentication_never_act(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, ROLLBACK, {"intake": {"insecure": True}}) as story:
        await story.bad_release()
        await story.fire()
        assert (await story.run()).state == "SHADOWED"
        assert story.effects() == []
