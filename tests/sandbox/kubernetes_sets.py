"""The StatefulSet and DaemonSet the emulator's tests are about, and what became of their pods."""

from typing import Any

from tests.sandbox.kubernetes_client import Json, World


def workload(kind: str, image: str, name: str = "db", **spec: Any) -> Json:
    """A StatefulSet or DaemonSet; its pods are ready half a second after they run."""
    labels = {"app": name}
    container = {"name": "db", "image": image, "readinessProbe": {"httpGet": {"port": 8080}}}
    template = {
        "metadata": {"labels": labels},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
    }
    whole = {"selector": {"matchLabels": labels}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": whole}


def recorded_set(kind: str, name: str, **spec: Any) -> tuple[str, Json]:
    """What kubectl was recorded with: the path it is made at, and itself."""
    made = workload(kind, f"registry.example.com/shop/{name}:v1", name, **spec)
    (container,) = made["spec"]["template"]["spec"]["containers"]
    container["name"], container["ports"] = "web", [{"name": "http", "containerPort": 8080}]
    container["readinessProbe"] = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1}
    made["metadata"]["labels"] = made["spec"]["selector"]["matchLabels"]
    return f"/apis/apps/v1/namespaces/shop-kubectl/{kind.lower()}s", made


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
