"""A release that changed its ConfigMap as well: going back takes back the template only, and says so."""

from pathlib import Path

import pytest

from remediator.domain.value import JsonObject
from tests.support.clock import DrivenClock
from tests.support.story import ROLLBACK, Story, deployment, told

CHANGED = "ConfigMap web-config holds now, which has changed since this version ran"
STRICT = ROLLBACK.replace("[rollback]", "[{rollback: {strict_config: true}}]")


def configured(image: str) -> JsonObject:
    """The Deployment of all stories, with configuration from a ConfigMap and a Secret."""
    made = deployment(image)
    sources = [{"configMapRef": {"name": "web-config"}}, {"secretRef": {"name": "db", "optional": True}}]
    made["spec"]["template"]["spec"]["containers"][0]["envFrom"] = sources
    return made


async def a_bad_release(story: Story, *, changing: bool) -> None:
    """v1 has soaked with its ConfigMap; with v2, which fails its users, came another content or none."""
    metadata = {"name": "web-config", "namespace": "shop"}
    story.emulator.create(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"mode": "old"}}
    )
    story.emulator.create(configured("app:v1"))
    await story.soak(35 * 60)
    if changing:
        story.emulator.patch("configmaps", "shop", "web-config", {"data": {"mode": "new"}})
        await story.let(15)
    story.release("app:v2")
    await story.let(4 * 60)
    await story.fire()


async def caveats(story: Story) -> list[str]:
    proposed = [line for line in await story.journal() if line.kind == "proposed"]
    return [str(each) for line in proposed for each in line.details.get("caveats", ())]


@pytest.mark.parametrize("changing", [False, True])
async def test_a_config_map_that_changed_with_the_release_is_a_caveat_of_the_plan(
    tmp_path: Path, database_url: str, clock: DrivenClock, changing: bool
) -> None:
    async with told(tmp_path, database_url, clock) as story:
        await a_bad_release(story, changing=changing)
        assert story.image() == "app:v1"
        told_of = await caveats(story)
        assert any(CHANGED in each for each in told_of) == changing
        assert any(each.startswith("what Secret db held") for each in told_of)


async def test_with_strict_config_what_cannot_be_observed_is_a_refusal(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, STRICT) as story:
        await a_bad_release(story, changing=True)
        assert story.image() == "app:v2"
        run = await story.run()
        assert run.state == "BLOCKED"
        assert "strict_config" in str(run.why)
        assert CHANGED in str(run.why)
