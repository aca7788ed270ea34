"""Stories in which acting is right and must happen: each tells what goes wrong, and what has to be done about it.

A guard that refuses the cure is as much a mistake as one that allows the wrong thing.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus
from tests.support.sets import workload
from tests.support.standing_still import resume, the_pause
from tests.support.story import ALERT, ROLLBACK, Story, deployment

Tell = Callable[[Story], Awaitable[None]]


@dataclass(frozen=True)
class Useful:
    """One story: how it is told, and the images the daemon has to set, in order."""

    tell: Tell
    effects: tuple[str, ...] = ("app:v1",)
    rules: str = ROLLBACK
    settings: Mapping[str, Any] = field(default_factory=dict)
    other_peers: tuple[str, ...] = ()


def after_a_release_of(image: str, *, replicas: int = 2, **spec: Any) -> Tell:
    """v1 has soaked, this image was rolled out four minutes ago, and the alert fires."""

    async def tell(story: Story) -> None:
        await soaked(story, replicas=replicas, **spec)
        story.release(image)
        await story.let(4 * 60)
        await story.fire()

    return tell


async def soaked(
    story: Story,
    *,
    replicas: int = 2,
    annotations: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    **spec: Any,
) -> None:
    """v1 runs and was seen available for longer than the soak time."""
    made = deployment("app:v1", replicas=replicas, **(annotations or {}))
    made["metadata"]["labels"] = dict(labels or {})
    made["spec"] |= spec
    story.emulator.create(made)
    await story.soak(35 * 60)


async def no_disruption_left(story: Story) -> None:
    story.emulator.create(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "api", "namespace": "shop"},
            "spec": {"selector": {"matchLabels": {"app": "api"}}, "maxUnavailable": 0},
        }
    )
    await after_a_release_of("app:crash-v2")(story)


async def a_pod_is_replaced_meanwhile(story: Story) -> None:
    """The rollout had finished; that a pod is not ready just now is no rollout in progress."""
    await soaked(story)
    story.release("app:slow-v2")
    await story.let(6 * 60)
    pod = story.emulator.list("pods", "shop")[0]["metadata"]["name"]
    story.emulator.delete("pods", "shop", pod)
    await story.let(15)
    await story.fire()
    assert story.effects() == ["app:v1"], "it waits although nothing is rolled out"


async def autoscaled_meanwhile(story: Story) -> None:
    await soaked(story)
    _autoscale(story)
    story.release("app:v2")
    await story.let(2 * 60)
    _scale(story, 4)
    await story.let(2 * 60)
    _scale(story, 3)
    await story.let(30)
    await story.fire()


def _autoscale(story: Story) -> None:
    """Somebody gives it an autoscaler."""
    story.emulator.create(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "api", "namespace": "shop"},
            "spec": {
                "minReplicas": 2,
                "maxReplicas": 10,
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
            },
        }
    )


def _scale(story: Story, replicas: int) -> None:
    """As the autoscaler does it: by the scale subresource, in the controller manager's name."""
    story.emulator.patch(
        "deployments",
        "shop",
        "api",
        {"spec": {"replicas": replicas}},
        user="system:serviceaccount:kube-system:horizontal-pod-autoscaler",
        manager="kube-controller-manager",
        subresource="scale",
    )


async def the_one_before_is_bad_as_well(story: Story) -> None:
    await soaked(story)
    story.release("app:crash-v2")
    await story.let(20 * 60, step=45)
    story.release("app:crash-v3")
    await story.let(4 * 60)
    await story.fire()


async def restarted_between(story: Story) -> None:
    await soaked(story)
    story.release("app:v2")
    await story.let(2 * 60)
    story.restart()
    await story.let(2 * 60)
    await story.fire()


async def quicker_than_the_memory(story: Story) -> None:
    await soaked(story)
    story.release("app:missing-v2")
    await story.clock.advance(5)
    await story.fire()
    await story.let(60)


async def annotated_by_a_person(story: Story) -> None:
    """Looking at it with kubectl, and writing a note on it, is not working on it."""
    await soaked(story)
    story.release("app:v2")
    await story.let(3 * 60)
    note = {"metadata": {"annotations": {"example.com/on-call": "looking"}, "labels": {"seen": "yes"}}}
    story.emulator.patch("deployments", "shop", "api", note, user="somebody", manager="kubectl-annotate")
    await story.let(60)
    await story.fire()


async def failing_for_a_moment(story: Story) -> None:
    """The API server is overloaded when the alert comes."""
    await soaked(story)
    story.release("app:v2")
    await story.let(4 * 60)
    busy = story.emulator.faults.add(Fault("GET", "", AnswerStatus(503, "ServiceUnavailable"), times=40))
    await story.fire()
    story.emulator.faults.remove(busy)
    await story.let(2 * 60)


async def asked_too_often(story: Story) -> None:
    """The effect is answered with 429 once."""
    busy = AnswerStatus(429, "TooManyRequests", headers={"Retry-After": "1"})
    await soaked(story)
    story.release("app:v2")
    await story.let(4 * 60)
    laid = story.emulator.faults.add(
        Fault("PATCH", "/deployments/api$", busy, when=lambda call, _: b"/spec/template" in call.body)
    )
    await story.fire()
    await story.let(60)
    assert laid.hits, "the fault did not fire: the story proves nothing"


async def metric_of_v2_is_bad(story: Story) -> None:
    story.prometheus.answer("error_ratio", lambda: 0.3 if story.image() == "app:v2" else 0.0)
    await after_a_release_of("app:v2")(story)
    await story.let(5 * 60)
    assert (await story.run()).state == "RESOLVED"


async def restart_does_not_help(story: Story) -> None:
    story.prometheus.answer("error_ratio", lambda: 0.3 if story.image() == "app:v2" else 0.0)
    await after_a_release_of("app:v2")(story)
    await story.let(10 * 60)


async def hung_long_after_its_release(story: Story) -> None:
    await soaked(story)
    await story.fire()


async def a_second_alert_joins(story: Story) -> None:
    await soaked(story)
    story.release("app:v2")
    await story.let(4 * 60)
    story.alertmanager.fire({**ALERT, "instance": "one"})
    story.alertmanager.fire({**ALERT, "instance": "two"})
    await story.deliver()


async def silenced_and_unsilenced(story: Story) -> None:
    await soaked(story)
    story.release("app:v2")
    await story.let(4 * 60)
    story.alertmanager.fire(ALERT)
    silence = story.alertmanager.silence({"alertname": "HighErrorRate"})
    await story.let(60)
    story.alertmanager.unsilence(silence)
    await story.deliver()
    await story.let(60)


async def paused_for_a_while(story: Story) -> None:
    await soaked(story)
    story.release("app:v2")
    await story.let(4 * 60)
    where = ("namespaces", "", "shop")
    story.emulator.patch(*where, {"metadata": {"annotations": {"remediator.io/paused": "lunch"}}})
    await story.fire()
    await story.let(60)
    story.emulator.patch(*where, {"metadata": {"annotations": {"remediator.io/paused": None}}})
    assert (await resume(story, await the_pause(story)))[0] == 200
    await story.let(10)


async def another_bad_release_an_hour_later(story: Story) -> None:
    await after_a_release_of("app:v2")(story)
    await story.resolve()
    await story.let(60 * 60, step=45)
    story.release("app:v3")
    await story.let(4 * 60)
    await story.fire()


async def helm_owns_it(story: Story) -> None:
    await soaked(
        story,
        labels={"app.kubernetes.io/managed-by": "Helm"},
        annotations={"meta.helm.sh/release-name": "api", "meta.helm.sh/release-namespace": "shop"},
    )
    change = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:v2"}]}}}}
    story.emulator.patch("deployments", "shop", "api", change, user="deployer", manager="helm")
    await story.let(4 * 60)
    await story.fire()


async def named_by_a_pod_that_is_gone(story: Story) -> None:
    await soaked(story)
    story.release("app:crash-v2")
    await story.let(4 * 60)
    pod = next(
        each["metadata"]["name"]
        for each in story.emulator.list("pods", "shop")
        if each["spec"]["containers"][0]["image"] == "app:crash-v2"
    )
    story.emulator.delete("pods", "shop", pod)
    await story.let(60)
    await _fire_without_workload(story, pod=pod, container="app")


async def named_by_its_service(story: Story) -> None:
    await soaked(story)
    story.emulator.create(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "checkout", "namespace": "shop"},
            "spec": {"selector": {"app": "api"}, "ports": [{"port": 80}]},
        }
    )
    story.release("app:v2")
    await story.let(4 * 60)
    await _fire_without_workload(story, service="checkout", job="checkout")


async def _fire_without_workload(story: Story, **labels: str) -> None:
    alert = {key: value for key, value in ALERT.items() if key != "deployment"}
    story.alertmanager.fire({**alert, **labels})
    await story.deliver()


def a_set_after_a_release_of(kind: str, image: str) -> Tell:
    """The same for a StatefulSet or DaemonSet that has opted in to be changed without a person."""

    async def tell(story: Story) -> None:
        story.emulator.create(workload(kind, "app:v1"))
        await story.soak(35 * 60)
        change = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}}
        story.emulator.patch(kind, "shop", "db", change, user="somebody", manager="kubectl")
        await story.let(4 * 60)
        await _fire_without_workload(story, **{kind.lower(): "db"})
        await story.let(60)
        pods = story.emulator.list("pods", "shop")
        running = {each["spec"]["containers"][0]["image"] for each in pods}
        assert running == {"app:v1"}, f"the pods run {running}"

    return tell


async def argocd_owns_it_and_it_hangs(story: Story) -> None:
    """A restart survives every sync; only the template in Git is put back."""
    await soaked(story, annotations={"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/api"})
    await story.fire()


async def hangs_with_a_budget_and_an_autoscaler(story: Story) -> None:
    """Neither binds a restart that keeps to the rollout strategy."""
    await soaked(story, replicas=3)
    story.emulator.create(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "api", "namespace": "shop"},
            "spec": {"selector": {"matchLabels": {"app": "api"}}, "maxUnavailable": 0},
        }
    )
    _autoscale(story)
    await story.fire()


async def scaled_by_its_autoscaler_while_held(story: Story) -> None:
    """The plan stands while a pause holds it; that the autoscaler goes on working is no change of what it rests on."""
    await soaked(story)
    _autoscale(story)
    story.release("app:v2")
    await story.let(4 * 60)
    story.alertmanager.fire(ALERT)
    silence = story.alertmanager.silence({"alertname": "HighErrorRate"})
    await story.let(15)
    _scale(story, 5)
    await story.let(45)
    story.alertmanager.unsilence(silence)
    await story.deliver()
    await story.let(60)


async def no_quota_for_a_surge(story: Story) -> None:
    """The rollout may end an old pod before it starts a new one, so that it needs no room."""
    await soaked(story, replicas=3, **NO_SURGE)
    story.emulator.create(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "full", "namespace": "shop"},
            "spec": {"hard": {"pods": "3"}},
            "status": {"hard": {"pods": "3"}, "used": {"pods": "3"}},
        }
    )
    story.release("app:v2")
    await story.let(4 * 60)
    await story.fire()


RECREATE: dict[str, Any] = {"strategy": {"type": "Recreate"}}
NO_SURGE: dict[str, Any] = {
    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
}
