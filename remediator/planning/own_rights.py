"""With more rights than it declares the daemon changes nothing: somebody gave it power that nobody reviewed."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection

from remediator.clients.kube_rules import KubeOwnRules
from remediator.clock import Clock
from remediator.domain.own_rights import NOWHERE_GRANTED, beyond, told
from remediator.domain.rule_mode import Cap
from remediator.domain.run_view import Mode
from remediator.errors import RemediatorError, Retryable
from remediator.planning.policy import Policy
from remediator.settings.sections import Kubernetes

EVERY_SECONDS = 60.0
_REMEMBERED_SECONDS = 60.0
_UNCLEAR_SECONDS = 5.0
"""So long an answer that told nothing is good: whoever asks more often would only add to what is wrong."""
_AT_ONCE = 8
"""Reviews under way at the same time."""

_log = logging.getLogger(__name__)


class OwnRights:
    """Asks the API server what this process may do; an answer is good for a minute.

    Rights in the whole cluster show in a namespace in which nothing is granted. Unknown is a reason as well. Where
    a ceiling lets nothing be changed, nothing is asked: it would hold nothing more.
    """

    def __init__(
        self,
        rules: KubeOwnRules,
        clock: Clock,
        settings: Kubernetes,
        policy: Policy,
        namespaces: Callable[[], Awaitable[Collection[str]]],
    ) -> None:
        """`namespaces` are those that have opted in; it raises Retryable or Permanent."""
        self._rules = rules
        self._clock = clock
        self._settings = settings
        self._policy = policy
        self._namespaces = namespaces
        self._told: dict[str, str] = {}
        self._known: dict[str, tuple[float, str | Retryable | None]] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._one_by_one: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def too_many(self, namespace: str) -> str | None:
        """What it may do beyond what it declares, there or everywhere, as a sentence; None when nothing.

        Raises Retryable when that cannot be told.
        """
        for each in dict.fromkeys((NOWHERE_GRANTED, namespace)):
            said = await self._look(each)
            if said is not None:
                return said
        return None

    async def cap(self, namespace: str) -> list[Cap]:
        """The same as what holds rules lower; nothing where a ceiling does already. Raises Retryable."""
        said = await self.too_many(namespace) if self._may_change_in(namespace) else None
        return [] if said is None else [Cap(mode="shadow", why=said, by="rights")]

    def known_everywhere(self) -> list[Cap]:
        """What was seen of the whole cluster last, without asking."""
        _, said = self._known.get(NOWHERE_GRANTED, (0.0, None))
        return [Cap(mode="shadow", why=said, by="rights")] if isinstance(said, str) else []

    async def tick(self) -> bool:
        """Look, from the start on, and tell of it in the log once; never finds more to do at once."""
        found = await self._everywhere_or_in_namespaces()
        for where, said in found.items():
            if self._told.get(where) != said:
                _log.error("nothing is changed %s: %s", where, said)
        for where in self._told.keys() - found.keys():
            _log.warning("this process may do no more %s than it declares", where)
        self._told = found
        return False

    async def why_not_act(self) -> str | None:
        """Why nothing at all is changed because of rights, as a sentence; None when something may be.

        What it may do too much in a single namespace holds what is there alone: the run, the log and doctor name that.
        """
        if not self._may_change(self._policy.ceiling):
            return None
        return await self._or_why_unknown(NOWHERE_GRANTED)

    async def _everywhere_or_in_namespaces(self) -> dict[str, str]:
        """Where nothing is changed because of rights, and why; of single namespaces only when not all are held."""
        everywhere = await self.why_not_act()
        if everywhere is not None or not self._may_change(self._policy.ceiling):
            return {} if everywhere is None else {"anywhere": everywhere}
        namespaces = [each for each in sorted(await self._namespaces()) if self._may_change_in(each)]
        found = await asyncio.gather(*map(self._or_why_unknown, namespaces))
        held = zip(namespaces, found, strict=True)
        return {f"in namespace {name}": said for name, said in held if said is not None}

    def _may_change_in(self, namespace: str) -> bool:
        return self._may_change(self._policy.ceiling_in(namespace).mode)

    @staticmethod
    def _may_change(ceiling: Mode) -> bool:
        return ceiling not in ("off", "shadow")

    async def _or_why_unknown(self, namespace: str) -> str | None:
        try:
            return await self._look(namespace)
        except RemediatorError as reason:
            return f"it cannot be told what this process may do: {reason.sentence}"

    async def _look(self, namespace: str) -> str | None:
        async with self._one_by_one[namespace]:
            until, said = self._known.get(namespace, (0.0, None))
            if self._clock.monotonic() >= until:
                said = await self._ask(namespace)
                seconds = _UNCLEAR_SECONDS if isinstance(said, Retryable) else _REMEMBERED_SECONDS
                self._known[namespace] = (self._clock.monotonic() + seconds, said)
        if isinstance(said, Retryable):
            raise Retryable(said.sentence)
        return said

    async def _ask(self, namespace: str) -> str | Retryable | None:
        try:
            async with self._turns:
                rules = await self._rules.in_namespace(namespace)
        except Retryable as reason:
            return reason
        more = beyond(rules.held, namespace, self._settings.of_everybody)
        if more:
            return told(more, namespace)
        if rules.incomplete is None or self._settings.trust_listed_rights:
            return None
        return Retryable(
            f"Kubernetes could not list all that this process may do in namespace {namespace}: "
            f"{rules.incomplete}; where a webhook authorizes beside RBAC, as in EKS, GKE and AKS, "
            "kubernetes.trust_listed_rights goes by what is listed"
        )
