"""The StatefulSet and DaemonSet the emulator's tests are about, and what became of their pods."""

from typing import Any

from tests.sandbox.kubernetes_client import Json, World


def workload(kind: str, image: str, **spec: Any) -> Json:
    """A StatefulSet or DaemonSet called db; its pods are ready half a second after they run."""
    labels = {"app": "db"}
    container = {"name": "db", "image": image, "readinessProbe": {"httpGet": {"port": 8080}}}
    template = {
        "metadata": {"labels": labels},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
    }
    whole = {"selector": {"matchLabels": labels}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "db"}, "spec": whole}


def stateful_set(image: str = "shop/db:v1", replicas: int = 3, **spec: Any) -> Json:
    """A StatefulSet called db."""
    return workload("StatefulSet", image, replicas=replicas, serviceName="db", **spec)


def daemon_set(image: str = "shop/db:v1", **spec: Any) -> Json:
    """A DaemonSet called db."""
    return workload("DaemonSet", image, **spec)


def release(world: World, kind: str, image: str) -> None:
    """Give it another image."""
    template = {"spec": {"containers": [{"name": "db", "image": image}]}}
    world.cluster.patch(kind, "default", "db", {"spec": {"template": template}})


def images(world: World) -> dict[str, str]:
    """The tags of the pods' images, by the names of the pods."""
    return {
        pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"].rpartition(":")[2]
        for pod in world.cluster.list("pods", "default", "app=db")
    }


def tags(world: World) -> list[str]:
    """The tags of the pods' images."""
    return sorted(images(world).values())


def status(world: World, kind: str) -> Json:
    """What its status says."""
    found = world.cluster.get(kind, "default", "db")
    assert found is not None
    shown: Json = found["status"]
    return shown


def revisions(world: World) -> dict[str, int]:
    """The numbers of the ControllerRevisions, by the tags of their images."""
    return {
        each["data"]["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[2]: each[
            "revision"
        ]
        for each in world.cluster.list("controllerrevisions", "default")
    }


def add_node(world: World, name: str, **labels: str) -> None:
    """One more node."""
    world.cluster.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}})
