"""A plain client for the emulator's tests, and the Deployment most of them are about."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from remediator.sandbox.kubernetes import EVERYTHING, PROMPT, Account, DrivenClock, Emulator, service_account

Json = dict[str, Any]

BOT = service_account("default", "bot", "bot-token", [EVERYTHING])
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
API = f"{DEPLOYMENTS}/api"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
IMAGE = "/spec/template/spec/containers/0/image"


def deployment(image: str = "shop/api:v1", replicas: int = 2, **spec: Any) -> Json:
    """A Deployment called api, whose pods are ready as soon as they run."""
    container = {"name": "api", "image": image}
    template = {"metadata": {"labels": {"app": "api"}}, "spec": {"containers": [container]}}
    selector = {"matchLabels": {"app": "api"}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "api"},
        "spec": {"replicas": replicas, "selector": selector, "template": template, **spec},
    }


def config_map(name: str, **data: str) -> Json:
    """A ConfigMap: the simplest object there is."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def set_image(image: str) -> list[Json]:
    """A JSON patch of the Deployment."""
    return [{"op": "replace", "path": IMAGE, "value": image}]


@dataclass(frozen=True)
class Answered:
    """An answer as it came."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Json:
        """The JSON object in it."""
        body: Json = json.loads(self.text)
        return body


class Client:
    """Makes requests as one account."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.session = session

    async def call(
        self, method: str, path: str, body: Any = None, media_type: str = "application/json", **query: str
    ) -> Answered:
        """One request and its answer."""
        sent: dict[str, Any] = (
            {} if body is None else {"data": json.dumps(body), "headers": {"Content-Type": media_type}}
        )
        async with self.session.request(method, self.url + path, params=query, **sent) as response:
            return Answered(response.status, dict(response.headers), await response.text())

    async def get(self, path: str, **query: str) -> Json:
        """The object or list at a path, which must be there."""
        answer = await self.call("GET", path, **query)
        assert answer.status == 200, answer.text
        return answer.body

    async def create(self, path: str, obj: Json) -> Json:
        """Create an object, which must succeed."""
        answer = await self.call("POST", path, obj)
        assert answer.status == 201, answer.text
        return answer.body

    async def patch(self, path: str, patch: Any, media_type: str = JSON_PATCH, **query: str) -> Answered:
        """Send a patch."""
        return await self.call("PATCH", path, patch, media_type, **query)


@asynccontextmanager
async def client_of(cluster: Emulator, account: Account = BOT) -> AsyncIterator[Client]:
    """A client that shows the account's token, or none if it has none."""
    headers = {"User-Agent": "bot/1"}
    if account.token:
        headers["Authorization"] = f"Bearer {account.token}"
    timeout = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield Client(cluster.url, session)


@dataclass(frozen=True)
class World:
    """A cluster and a client that may do everything."""

    cluster: Emulator
    client: Client

    def deployment(self) -> Json:
        """The Deployment as it is, which must be there."""
        found = self.cluster.get("deployment", "default", "api")
        assert found is not None
        return found

    def replica_sets(self) -> dict[str, Json]:
        """The Deployment's ReplicaSets by their image."""
        found = self.cluster.list("replicasets", "default", "app=api")
        return {one["spec"]["template"]["spec"]["containers"][0]["image"]: one for one in found}

    def pods(self) -> list[Json]:
        """The Deployment's pods."""
        return list(self.cluster.list("pods", "default", "app=api"))

    async def roll_out(self, image: str) -> None:
        """Give the Deployment this image, or make it with it, and let a minute pass."""
        if self.cluster.get("deployment", "default", "api") is None:
            self.cluster.create(deployment(image))
        else:
            answer = await self.client.patch(API, set_image(image))
            assert answer.status == 200, answer.text
        await self.cluster.advance(60)


@asynccontextmanager
async def driven_world() -> AsyncIterator[World]:
    """A cluster in which time is moved by hand and nothing lags, and a client that may do everything."""
    async with (
        Emulator(DrivenClock(), settings=PROMPT, accounts=[BOT]) as cluster,
        client_of(cluster) as client,
    ):
        yield World(cluster, client)
