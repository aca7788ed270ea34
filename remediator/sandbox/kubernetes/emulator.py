"""The emulator as a test or the demo sees it: one cluster, its clock, its faults and its logs."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from remediator.sandbox.kubernetes.access import Access, Account
from remediator.sandbox.kubernetes.api import Api
from remediator.sandbox.kubernetes.clock import Clock, DrivenClock, SystemClock
from remediator.sandbox.kubernetes.controllers.daemonset import DaemonSetController
from remediator.sandbox.kubernetes.controllers.deployment import DeploymentController
from remediator.sandbox.kubernetes.controllers.disruption import DisruptionController
from remediator.sandbox.kubernetes.controllers.endpointslices import EndpointSliceController
from remediator.sandbox.kubernetes.controllers.garbage import GarbageCollector, NamespaceController
from remediator.sandbox.kubernetes.controllers.kubelet import Kubelet
from remediator.sandbox.kubernetes.controllers.replicaset import ReplicaSetController
from remediator.sandbox.kubernetes.controllers.scheduler import Scheduler
from remediator.sandbox.kubernetes.controllers.statefulset import StatefulSetController
from remediator.sandbox.kubernetes.deletion import DeleteOptions, delete
from remediator.sandbox.kubernetes.effects import Effect, LoggedRequest, Origin
from remediator.sandbox.kubernetes.faults import Faults
from remediator.sandbox.kubernetes.furniture import furnish
from remediator.sandbox.kubernetes.images import Images, by_tag
from remediator.sandbox.kubernetes.json_patch import apply_json_patch
from remediator.sandbox.kubernetes.loop import Loop
from remediator.sandbox.kubernetes.resources import BY_KIND, find
from remediator.sandbox.kubernetes.selectors import parse_label_selector
from remediator.sandbox.kubernetes.server import Server
from remediator.sandbox.kubernetes.settings import Settings
from remediator.sandbox.kubernetes.status import Json
from remediator.sandbox.kubernetes.store import Change, Store
from remediator.sandbox.kubernetes.strategic_merge import apply_strategic_merge
from remediator.sandbox.kubernetes.writes import Writes

ADMIN = "kubernetes-admin"
"""The user of the methods that need no HTTP, unless they are told another."""


class Emulator:
    """A cluster of one node. An async context manager; or `start` and `stop`.

    clock: None is real time, in which the controllers work in the background. Any other is moved by the test:
        with `advance` if it is the emulator's own DrivenClock, else by its owner, followed by `catch_up`.
        Every request first makes up for what is due.
    images: how containers behave, by image (`by_tag` looks for `missing`, `crash` and `never-ready` in the tag).
    accounts: who may log in with which token. Without a token one is system:anonymous, who may do nothing but
        see version and health, or everything if `anonymous_admin` (kubectl sends no token over plain HTTP).
    custom_resources: plurals, such as "rollouts", whose CustomResourceDefinition is there from the beginning;
        of others it is from the first object on. Until then their groups are as unknown as any.
    watch_list: the feature gate WatchList, off in v1.33.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        images: Images = by_tag,
        settings: Settings | None = None,
        accounts: Sequence[Account] = (),
        anonymous_admin: bool = False,
        custom_resources: Sequence[str] = (),
        watch_list: bool = False,
    ) -> None:
        settings = settings or Settings()
        self.faults = Faults()
        self.access = Access(anonymous_admin=anonymous_admin)
        for account in accounts:
            self.access.add(account)
        self._clock = clock
        self._loop = Loop(clock or SystemClock())
        self._store = Store()
        self._writes = Writes(self._store, self._loop.clock)
        kubelet = Kubelet(self._writes, self._loop, settings, images)
        self._controllers = (
            DeploymentController(self._writes, self._loop, settings.observe_lag),
            ReplicaSetController(self._writes, self._loop, settings.observe_lag),
            StatefulSetController(self._writes, self._loop, settings.observe_lag),
            DaemonSetController(self._writes, self._loop, settings.observe_lag),
            Scheduler(self._writes, self._loop, settings.schedule_seconds),
            kubelet,
            DisruptionController(self._writes, self._loop, settings.observe_lag),
            EndpointSliceController(self._writes, self._loop, settings.observe_lag),
            GarbageCollector(self._writes, self._loop, settings.observe_lag),
            NamespaceController(self._writes, self._loop, settings.observe_lag),
        )
        self._api = Api(self._writes, self._loop, self.access, kubelet, watch_list=watch_list)
        self._api.groups |= {find(name).group for name in custom_resources}
        self._server = Server(self._api, self._loop, self.faults)
        self._background: asyncio.Task[None] | None = None
        furnish(self._writes)

    # -- running --------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> None:
        """Serve on `port`, or on any free one; objects are kept over `stop` and `start`."""
        await self._server.start(port)
        if self._clock is None:
            self._background = asyncio.create_task(self._loop.run_forever())

    async def stop(self) -> None:
        """Close every connection and stop the controllers."""
        await self._server.stop()
        background, self._background = self._background, None
        if background is not None:
            background.cancel()
            with suppress(asyncio.CancelledError):
                await background

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        """While it lasts, connections are refused; the controllers go on."""
        async with self._server.outage():
            yield

    @property
    def port(self) -> int:
        """The port it serves on."""
        return self._server.port

    @property
    def url(self) -> str:
        """The API server's address."""
        return f"http://127.0.0.1:{self._server.port}"

    def kubeconfig(self, path: Path, token: str = "", namespace: str = "default") -> Path:
        """Write a kubeconfig (JSON, which is YAML) for the account of that token, and return its path."""
        cluster = {"name": "emulator", "cluster": {"server": self.url}}
        user = {"name": "client", "user": {"token": token} if token else {}}
        inside = {"cluster": "emulator", "user": "client", "namespace": namespace}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [cluster],
            "users": [user],
            "contexts": [{"name": "emulator", "context": inside}],
            "current-context": "emulator",
        }
        path.write_text(json.dumps(content, indent=2) + "\n")
        return path

    # -- time -----------------------------------------------------------------------------------------------

    async def advance(self, seconds: float) -> None:
        """Move the emulator's own DrivenClock, doing everything at the moment it is due.

        Raises:
            TypeError: the clock is another's: move it there, then `catch_up`.
        """
        if not isinstance(self._clock, DrivenClock):
            raise TypeError("this clock is not the emulator's to move; move it and call catch_up()")
        await self._loop.advance(self._clock, seconds)

    async def catch_up(self) -> None:
        """Do everything that is due by the clock, in order, each at the moment it was due."""
        await self._loop.catch_up()

    async def until(self, condition: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait until `condition` holds; it is looked at after every change of any object.

        Raises:
            TimeoutError: it does not within `seconds` of real time.
        """
        changed = asyncio.Event()

        def see(_: Change) -> None:
            changed.set()

        self._store.listen(see)
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    changed.clear()
                    await changed.wait()
        finally:
            self._store.silence(see)

    @property
    def next_at(self) -> datetime | None:
        """When something will happen by itself; None when nothing will."""
        return self._loop.next_at()

    def write_elsewhere(self) -> None:
        """Somebody renews a Lease, as in every cluster: else a watch in which nothing happens hears nothing."""
        self._store.write_elsewhere()

    # -- what happened --------------------------------------------------------------------------------------

    @property
    def requests(self) -> Sequence[LoggedRequest]:
        """Every HTTP request, in the order they came; status 0 while, or if never, answered."""
        return self._server.requests

    @property
    def effects(self) -> Sequence[Effect]:
        """Every write of a client that was really applied, by HTTP or by the methods below."""
        return self._writes.effects

    @property
    def version(self) -> int:
        """The newest resourceVersion: another one means that some object changed."""
        return self._store.version

    # -- objects, without HTTP ------------------------------------------------------------------------------

    def create(self, obj: Json, user: str = ADMIN, manager: str = "") -> Json:
        """Create an object; its kind and apiVersion say which, its namespace is `default` if it names none."""
        self._loop.settle()
        resource = BY_KIND[(obj["apiVersion"], obj["kind"])]
        self._api.groups.add(resource.group)
        namespace = obj.get("metadata", {}).get("namespace", "default")
        made = self._writes.create(resource, namespace, obj, _origin(user, manager, "create"))
        self._loop.settle()
        return made

    def get(self, resource: str, namespace: str, name: str) -> Json | None:
        """The object, or None; `resource` as kubectl takes it, `namespace` "" where there is none."""
        self._loop.settle()
        return self._store.get(self._writes.key(find(resource), namespace, name))

    def list(self, resource: str, namespace: str = "", selector: str = "") -> Sequence[Json]:
        """The objects of a namespace, or of all; `selector` is a label selector."""
        self._loop.settle()
        chosen, found = parse_label_selector(selector), find(resource)
        objects = self._store.objects(found.group, found.plural, namespace)
        return [obj for obj in objects if chosen(obj["metadata"].get("labels") or {})]

    def patch(
        self,
        resource: str,
        namespace: str,
        name: str,
        patch: Json | Sequence[Json],
        user: str = ADMIN,
        manager: str = "",
        subresource: str = "",
    ) -> Json:
        """Patch an object: with a strategic merge if `patch` is an object, a JSON patch if it is a list.

        Raises:
            ApiError: as the API server would refuse it.
            PatchFailed: an operation of a JSON patch does not apply.
        """
        self._loop.settle()
        found = find(resource)

        def change(obj: Json) -> Any:
            if isinstance(patch, dict):
                return apply_strategic_merge(obj, patch, found.schema)
            return apply_json_patch(obj, list(patch))

        key = self._writes.key(found, namespace, name)
        after = self._writes.patch(found, key, change, _origin(user, manager, "patch"), subresource)
        self._loop.settle()
        return after

    def delete(self, resource: str, namespace: str, name: str, user: str = ADMIN) -> Json:
        """Delete an object as `kubectl delete` does (dependents follow in the background)."""
        self._loop.settle()
        found = find(resource)
        key = self._writes.key(found, namespace, name)
        options = DeleteOptions(propagation="Background")
        answer = delete(self._writes, found, key, options, _origin(user, "", "delete"))
        self._loop.settle()
        return answer

    def forget_history(self, *, watches: bool = True) -> None:
        """Old lists and pages are answered with 410 from now on, as after etcd's compaction; old watches, too, unless
        `watches` is false: on a real server they may outlive a compaction."""
        self._store.compact(watches=watches)


def _origin(user: str, manager: str, verb: str) -> Origin:
    return Origin(user, manager or user.rsplit(":", 1)[-1], verb)
