"""Users of Kubernetes: the API server says whose token it is, and what they may do to `remediator.io/runs`."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Generic, TypeVar

from remediator.clients.kube_review import KubeReviewer, KubeUser
from remediator.clock import Clock
from remediator.errors import Retryable
from remediator.people.principal import Principal
from remediator.settings.sections import KubernetesPeople, Role

GROUP, RESOURCE = "remediator.io", "runs"
"""The resource whose verbs are our roles. It need not exist: RBAC asks nobody."""

VERBS: Mapping[Role, str] = {"view": "get", "approve": "approve", "operate": "operate"}

_REMEMBERED_SECONDS = 30.0
_MOST_REMEMBERED = 256
_AT_ONCE = 8
_MOST_WAITING = 64
_LONGEST_TOKEN = 16 * 1024

_Kept = TypeVar("_Kept")


class _Remembered(Generic[_Kept]):
    """The newest answers, for 30 s. Only for those who look: who changes something is asked about each time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[bytes, tuple[float, _Kept]] = OrderedDict()

    def get(self, key: bytes) -> _Kept | None:
        until, kept = self._kept.get(key, (0.0, None))
        return kept if self._clock.monotonic() < until else None

    def keep(self, key: bytes, value: _Kept) -> None:
        self._kept[key] = (self._clock.monotonic() + _REMEMBERED_SECONDS, value)
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_REMEMBERED:
            self._kept.popitem(last=False)


class KubernetesUsers:
    """Asks the API server. What it does not clearly allow is not allowed."""

    def __init__(self, settings: KubernetesPeople, reviewer: KubeReviewer, clock: Clock) -> None:
        self._audience = settings.audience
        self._reviewer = reviewer
        self._tokens: _Remembered[Principal] = _Remembered(clock)
        self._lookers: _Remembered[bool] = _Remembered(clock)
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    async def recognise(self, token: bytes, role: Role) -> Principal | None:
        """Whose token it is. Raises Retryable when the API server does not say."""
        if not token or len(token) > _LONGEST_TOKEN or not token.isascii():
            return None
        key = sha256(token).digest()
        known = self._tokens.get(key) if role == "view" else None
        if known is not None:
            return known
        async with self._turn():
            user = await self._reviewer.review_token(token.decode(), self._audience)
        if user is None:
            return None
        who = Principal(
            name=user.name, proof="kubernetes", uid=user.uid, groups=user.groups, extra=user.extra
        )
        self._tokens.keep(key, who)
        return who

    async def holds(self, who: Principal, role: Role) -> bool:
        """Whether a user may do what the role stands for. Raises Retryable when the API server does not say."""
        key = sha256(who.model_dump_json().encode()).digest()
        if role == "view" and self._lookers.get(key):
            return True
        user = KubeUser(name=who.name, uid=who.uid, groups=who.groups, extra=who.extra)
        async with self._turn():
            may = await self._reviewer.review_access(user, VERBS[role], GROUP, RESOURCE)
        if may and role == "view":
            self._lookers.keep(key, True)
        return may

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Nobody who is not known yet can make us ask for more than so much at a time."""
        if self._waiting >= _MOST_WAITING:
            raise Retryable("too many people are being asked about at once")
        self._waiting += 1
        try:
            async with self._turns:
                yield
        finally:
            self._waiting -= 1
