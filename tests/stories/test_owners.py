"""Who else writes the target: GitOps, Helm, people at work; and what asks a person or says what to revert."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.clock import DrivenClock
from tests.support.story import RESTART, ROLLBACK, Story, told

TRACKED = {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/api"}
FLUX = {"kustomize.toolkit.fluxcd.io/name": "shop", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}


async def released(story: Story, image: str = "app:v2", annotations: dict[str, Any] | None = None) -> None:
    """v1 has soaked; another image was rolled out four minutes ago."""
    await story.create("app:v1", **(annotations or {}))
    await story.soak(35 * 60)
    story.release(image)
    await story.let(4 * 60)


def change(story: Story, patch: dict[str, Any], manager: str = "kubectl-edit") -> None:
    story.emulator.patch("deployments", "shop", "api", patch, user="somebody", manager=manager)


async def test_a_deployment_of_a_helm_chart_is_rolled_back_and_the_next_upgrade_is_spoken_of(
    story: Story,
) -> None:
    await released(story, annotations={"meta.helm.sh/release-name": "shop"})
    await story.fire()
    assert story.effects() == ["app:v1"]
    messages = [
        each["message"] for each in story.emulator.list("events", "shop") if "[CHANGED]" in each["message"]
    ]
    assert "Helm release shop applies its own version again with the next upgrade" in messages[0]


async def applied(story: Story, image: str) -> tuple[int, dict[str, Any]]:
    """What `kubectl apply --server-side` without force is answered."""
    container = {"name": "app", "image": image}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api", "namespace": "shop"}}
    body["spec"] = {"template": {"spec": {"containers": [container]}}}
    url = f"{story.emulator.url}/apis/apps/v1/namespaces/shop/deployments/api?fieldManager=kubectl"
    headers = {"Authorization": "Bearer kube-token", "Content-Type": "application/apply-patch+yaml"}
    async with aiohttp.ClientSession() as session, session.patch(url, json=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_whose_next_server_side_apply_conflicts_with_the_rollback_is_said_beforehand(
    story: Story,
) -> None:
    await story.create("app:v1")
    await story.soak(35 * 60)
    story.release("app:v2")
    assert (await applied(story, "app:v2"))[0] == 200
    await story.let(4 * 60)
    await story.fire()
    assert story.image() == "app:v1", (await story.run()).why
    messages = [each["message"] for each in story.emulator.list("events", "shop")]
    assert any(
        "kubectl deploys by server-side apply: its next apply may conflict" in each for each in messages
    )
    status, refused = await applied(story, "app:v3")
    assert status == 409
    assert 'conflict with "remediator"' in refused["message"]


async def test_what_flux_would_put_back_is_handed_over_with_what_to_revert(story: Story) -> None:
    await released(story)
    change(story, {"metadata": {"labels": FLUX}}, "kustomize-controller")
    await story.fire()
    run = await story.run()
    assert run.state == "BLOCKED"
    assert "Flux Kustomization flux-system/shop would undo this. Revert in Git: revision 2 (app:v2)" in (
        run.why or ""
    )
    assert story.effects() == []


async def test_what_flux_applies_is_restarted(tmp_path: Path, database_url: str, clock: DrivenClock) -> None:
    async with told(tmp_path, database_url, clock, RESTART) as story:
        await story.create("app:v1")
        change(story, {"metadata": {"labels": FLUX}}, "kustomize-controller")
        await story.fire()
        assert (await story.run()).state == "ACTED"
        assert len(story.effects()) == 1


@pytest.mark.parametrize(("mode", "state"), [("act", "CLEARED"), ("shadow", "SHADOWED")])
async def test_argo_cd_without_self_heal_asks_a_person(
    tmp_path: Path, database_url: str, clock: DrivenClock, mode: str, state: str
) -> None:
    async with told(tmp_path, database_url, clock, ROLLBACK.replace("mode: act", f"mode: {mode}")) as story:
        await released(story, annotations={**TRACKED, "remediator.io/argocd-self-heal": "false"})
        await story.fire()
        run = await story.run()
        assert run.state == state
        asked = {"act": "a person must agree", "shadow": "it would have asked a person"}[mode]
        assert asked in (run.why or "")
        assert "Argo CD application shop undoes this with its next sync" in (run.why or "")
        lines = [each.text for each in await story.journal() if each.kind == "guard"]
        assert any(each.startswith("owner: ask a person, Argo CD application shop") for each in lines)
        assert story.effects() == []


async def test_an_argo_rollout_that_refers_to_it_refuses_by_name(story: Story) -> None:
    await released(story)
    story.emulator.create(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "metadata": {"name": "api-rollout", "namespace": "shop"},
            "spec": {"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}},
        }
    )
    await story.fire()
    run = await story.run()
    assert run.state == "BLOCKED"
    assert "Argo Rollout api-rollout rolls it out and back" in (run.why or "")


async def test_people_at_work_are_waited_for_and_then_it_acts(story: Story) -> None:
    await released(story)
    change(story, {"spec": {"minReadySeconds": 1}})
    await story.fire()
    run = await story.run()
    assert run.state == "PROPOSED"
    said = "people may be at work: kubectl-edit, which owns spec.minReadySeconds, wrote it last at"
    assert said in (run.why or "")
    assert story.effects() == []
    await story.let(28 * 60, step=45)
    assert story.effects() == []
    await story.let(3 * 60)
    assert story.effects() == ["app:v1"]


async def test_an_autoscaler_that_scales_meanwhile_stops_nothing(story: Story) -> None:
    await released(story)
    story.emulator.patch(
        "deployments",
        "shop",
        "api",
        {"spec": {"replicas": 3}},
        user="hpa",
        manager="horizontal-pod-autoscaler",
    )
    await story.let(30)
    await story.fire()
    assert story.effects() == ["app:v1"]


async def test_a_marker_this_database_does_not_know_refuses_however_old_it_is(story: Story) -> None:
    """Another remediator's, or our own from before a backup was put back."""
    await story.create("app:v1")
    await story.soak(35 * 60)
    change(story, {"metadata": {"annotations": {"remediator.io/attempt": "912/0/0"}}}, "remediator")
    await story.let(36 * 60)
    story.release("app:v2")
    await story.let(4 * 60)
    await story.fire()
    assert ((await story.run()).state, story.effects()) == ("BLOCKED", [])
    assert "the marker 912/0/0 of an attempt this database does not know" in ((await story.run()).why or "")


@pytest.mark.parametrize(
    ("image", "annotations", "effects"),
    [
        ("app:v2", {}, []),
        ("app:v2", {"remediator.io/interruptible": "true"}, ["app:v1"]),
        ("app:crash-v2", {}, ["app:v1"]),
    ],
)
async def test_a_recreated_workload_is_left_alone_only_while_it_serves(
    story: Story, image: str, annotations: dict[str, Any], effects: list[str]
) -> None:
    await story.create("app:v1", **annotations)
    change(story, {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}})
    await story.soak(35 * 60)
    story.release(image)
    await story.let(4 * 60)
    await story.fire()
    assert story.effects() == effects, (await story.run()).why
    if not effects:
        assert "floor: for a moment no pod would be ready" in ((await story.run()).why or "")
