"""Reading from Kubernetes: objects as the JSON the API server sent, complete or not at all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Hashable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeAlias, TypeVar

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from remediator.clients.http import HttpAnswer
from remediator.clients.kube_answer import is_absent, is_unknown_api, object_of, page_of, refuse
from remediator.clients.kube_connection import KubeConnection
from remediator.clients.kube_resource import (
    MUTATING_WEBHOOKS,
    NAMESPACE,
    NODE,
    VALIDATING_WEBHOOKS,
    Resource,
    field_selector,
    label_selector,
    resource,
)
from remediator.domain.belonging import IDENTITY
from remediator.domain.value import JsonObject
from remediator.errors import Retryable

_PAGE = "500"
_ATTEMPTS = 3
_LONGEST_WAIT = 0.5

_T = TypeVar("_T")
_Objects: TypeAlias = list[JsonObject]


METADATA_ONLY = "application/json;as=PartialObjectMetadata{};g=meta.k8s.io;v=v1"
"""Accept header for metadata without the rest; with `List` in the braces, for lists."""


class Listing(NamedTuple):
    """A complete list, and where a watch goes on from."""

    objects: _Objects
    version: str
    """The list's resourceVersion."""


class KubeReader:
    """Everything the daemon may look at in the cluster.

    All methods raise Permanent when somebody has to change something first (rights, credentials, the
    request itself) and Retryable when the same question may be answered later. Each tries up to three
    times within one deadline.
    """

    def __init__(
        self, connection: KubeConnection, *, deadline: float = 10.0, cluster_uid: str | None = None
    ) -> None:
        """`deadline` is in seconds, for each method from its start to its end.

        `cluster_uid` is the uid of the namespace IDENTITY where the settings tell it: then it is not asked for.
        """
        self._connection = connection
        self._deadline = deadline
        self._cluster_uid = cluster_uid

    @asynccontextmanager
    async def one_look(self) -> "AsyncIterator[KubeReader]":
        """A reader for many questions about one moment: within the block no object and no list is read twice.

        Whoever asks gets the very same objects as everybody else, and changes none of them.
        """
        look = _OneLook(self._connection, deadline=self._deadline, cluster_uid=self._cluster_uid)
        try:
            yield look
        finally:
            await look.forget()

    def anew(self) -> "KubeReader":
        """A reader that looks each time it is asked, also within `one_look`."""
        return self

    async def get(self, kind: str, namespace: str, name: str) -> JsonObject | None:
        """One object, or None when the API server says that there is none of that name."""
        return await self._get(resource(kind), namespace, name)

    async def list(
        self,
        kind: str,
        namespace: str,
        selector: Mapping[str, str] | None = None,
        field_selector: Mapping[str, str] | None = None,
    ) -> _Objects:
        """All objects of a kind in a namespace, each with its kind and apiVersion.

        `selector` holds labels and `field_selector` fields that have to be equal; None leaves them open.
        A namespace that does not exist has none, and neither has a custom kind this cluster does not know.
        """
        return (await self._list(resource(kind), namespace, selector, field_selector)).objects

    async def listing(self, kind: str, namespace: str, *, metadata_only: bool = False) -> Listing:
        """All objects of a kind in a namespace, as `list`, with what a watch needs to go on from there."""
        return await self._list(resource(kind), namespace, None, None, metadata_only=metadata_only)

    async def namespace(self, name: str) -> JsonObject | None:
        """One namespace, or None when there is none of that name."""
        if name == IDENTITY and self._cluster_uid is not None:
            return {"metadata": {"name": name, "uid": self._cluster_uid}}
        return await self._get(NAMESPACE, None, name)

    async def node(self, name: str) -> JsonObject | None:
        """One node, or None when there is none of that name."""
        return await self._get(NODE, None, name)

    async def namespaces(self, selector: Mapping[str, str] | None) -> _Objects:
        """All namespaces with these labels."""
        return (await self._list(NAMESPACE, None, selector, None)).objects

    async def validating_webhooks(self) -> _Objects:
        """All ValidatingWebhookConfigurations."""
        return (await self._list(VALIDATING_WEBHOOKS, None, None, None)).objects

    async def mutating_webhooks(self) -> _Objects:
        """All MutatingWebhookConfigurations."""
        return (await self._list(MUTATING_WEBHOOKS, None, None, None)).objects

    async def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        previous: bool = False,
        tail: int = 100,
        limit_bytes: int = 65536,
        timestamps: bool = False,
    ) -> str:
        """The last `tail` lines of a container, or of its predecessor that ended (`previous`).

        With `timestamps` each begins with the moment it was written, in RFC 3339, and a space.

        When those lines are more than `limit_bytes`, the oldest of them are what is kept: the API
        server cuts at the end. Permanent with the API server's own words when there is no log: no such
        pod, a container that is still waiting, one that never restarted.
        """
        query = {
            "container": container,
            "previous": "true" if previous else "false",
            "tailLines": str(tail),
            "limitBytes": str(limit_bytes),
            **({"timestamps": "true"} if timestamps else {}),
        }
        pods = resource("pod")
        path = f"{pods.path(namespace, pod)}/log"

        async def ask() -> str:
            answer = await self._ask(path, query)
            refuse(answer, "get", "pods/log", namespace)
            return answer.body.decode("utf-8", "replace")

        return await self._patiently(ask)

    async def _get(self, what: Resource, namespace: str | None, name: str) -> JsonObject | None:
        path = what.path(namespace, name)

        async def ask() -> JsonObject | None:
            answer = await self._ask(path, {})
            if is_absent(answer, name):
                return None
            refuse(answer, "get", what.plural, namespace)
            return object_of(answer, what.plural, name)

        return await self._told(path, lambda: self._patiently(ask))

    async def _list(
        self,
        what: Resource,
        namespace: str | None,
        labels: Mapping[str, str] | None,
        fields: Mapping[str, str] | None,
        *,
        metadata_only: bool = False,
    ) -> Listing:
        path = what.path(namespace)
        headers = {"Accept": METADATA_ONLY.format("List")} if metadata_only else {}
        query = {"limit": _PAGE}
        if labels is not None:
            query["labelSelector"] = label_selector(labels)
        if fields is not None:
            query["fieldSelector"] = field_selector(fields)

        async def ask() -> Listing:
            items: _Objects = []
            following = ""
            while True:
                more = {"continue": following} if following else {}
                answer = await self._ask(path, query | more, headers)
                if what.custom and is_unknown_api(answer):
                    return Listing([], "")
                refuse(answer, "list", what.plural, namespace)
                page, version, following = page_of(answer)
                items += ({"kind": what.kind, "apiVersion": what.api_version, **item} for item in page)
                # A page may be as large as an answer may be, and whoever asked goes through all of it at once.
                await asyncio.sleep(0)
                if not following:
                    return Listing(items, version)

        key = (path, tuple(query.items()), metadata_only)
        return await self._told(key, lambda: self._patiently(ask))

    async def _told(self, question: Hashable, ask: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """The answer to one question about objects."""
        return await ask()

    async def _ask(
        self, path: str, query: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        return await self._connection.call("GET", path, query=query, headers=headers, deadline=self._deadline)

    async def _patiently(self, ask: Callable[[], Awaitable[_T]]) -> _T:
        attempts = AsyncRetrying(
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.05, min=0.05, max=_LONGEST_WAIT),
            retry=retry_if_exception(_worth_a_quick_retry),
            reraise=True,
        )
        try:
            async with asyncio.timeout(self._deadline):
                return await attempts(ask)
        except TimeoutError:
            raise Retryable(f"{self._connection.host} did not answer within {self._deadline:g} s") from None


class _OneLook(KubeReader):
    """Remembers what it was told, failures too, and asks once although many want to know at the same time."""

    def __init__(self, connection: KubeConnection, *, deadline: float, cluster_uid: str | None) -> None:
        super().__init__(connection, deadline=deadline, cluster_uid=cluster_uid)
        self._asked: dict[Hashable, asyncio.Task[Any]] = {}

    def anew(self) -> KubeReader:
        return KubeReader(self._connection, deadline=self._deadline, cluster_uid=self._cluster_uid)

    async def forget(self) -> None:
        """Stop what is still being asked for; nobody waits for it any more."""
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)

    async def _told(self, question: Hashable, ask: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        task: asyncio.Task[_T] = self._asked.get(question) or asyncio.create_task(ask())
        self._asked[question] = task
        # One who stops waiting must not take the answer away from the others.
        return await asyncio.shield(task)


def _worth_a_quick_retry(error: BaseException) -> bool:
    """A server that asks for more patience than ours is left alone."""
    return isinstance(error, Retryable) and (error.retry_after or 0.0) <= _LONGEST_WAIT
