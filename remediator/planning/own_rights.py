"""With more rights than it declares the daemon changes nothing: somebody gave it power that nobody reviewed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection

from remediator.clients.kube_rules import KubeOwnRules
from remediator.clock import Clock
from remediator.domain.own_rights import NOWHERE_GRANTED, beyond, told
from remediator.domain.rule_mode import Cap
from remediator.errors import RemediatorError, Retryable
from remediator.settings.sections import Kubernetes

EVERY_SECONDS = 60.0
_REMEMBERED_SECONDS = 60.0
_AT_ONCE = 8
"""Reviews under way at the same time."""

_log = logging.getLogger(__name__)


class OwnRights:
    """Asks the API server what this process may do; an answer is good for a minute.

    Rights in the whole cluster show in a namespace in which nothing is granted. Unknown is a reason as well.
    """

    def __init__(
        self,
        rules: KubeOwnRules,
        clock: Clock,
        settings: Kubernetes,
        namespaces: Callable[[], Awaitable[Collection[str]]],
    ) -> None:
        """`namespaces` are those in which something may be changed; it raises Retryable or Permanent."""
        self._rules = rules
        self._clock = clock
        self._settings = settings
        self._namespaces = namespaces
        self._told: str | None = None
        self._known: dict[str, tuple[float, str | None]] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)

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
        """The same as what holds rules lower. Raises Retryable."""
        said = await self.too_many(namespace)
        return [] if said is None else [Cap(mode="shadow", why=said, by="rights")]

    def known_everywhere(self) -> list[Cap]:
        """What was seen of the whole cluster last, without asking."""
        _, said = self._known.get(NOWHERE_GRANTED, (0.0, None))
        return [] if said is None else [Cap(mode="shadow", why=said, by="rights")]

    async def tick(self) -> bool:
        """Look, from the start on, and tell of it in the log once; never finds more to do at once."""
        said = await self.why_not_act()
        if said != self._told:
            if said is not None:
                _log.error("nothing is changed: %s", said)
            else:
                _log.warning("this process may do no more than it declares")
            self._told = said
        return False

    async def why_not_act(self) -> str | None:
        """Why nothing is changed because of rights, in one namespace at least, as a sentence; None when nothing is."""
        try:
            namespaces = (NOWHERE_GRANTED, *sorted(await self._namespaces()))
            found = await asyncio.gather(*map(self._look, namespaces))
        except RemediatorError as reason:
            return f"it cannot be told what this process may do: {reason.sentence}"
        return next((said for said in found if said is not None), None)

    async def _look(self, namespace: str) -> str | None:
        async with self._turns:
            until, said = self._known.get(namespace, (0.0, None))
            if self._clock.monotonic() < until:
                return said
            rules = await self._rules.in_namespace(namespace)
            more = beyond(rules.held, namespace, self._settings.of_everybody)
            if not more and rules.incomplete is not None and not self._settings.trust_listed_rights:
                raise Retryable(
                    f"Kubernetes could not list all that this process may do in namespace {namespace}: "
                    f"{rules.incomplete}; where a webhook authorizes beside RBAC, as in GKE, "
                    "kubernetes.trust_listed_rights goes by what is listed"
                )
            said = told(more, namespace) if more else None
            self._known[namespace] = (self._clock.monotonic() + _REMEMBERED_SECONDS, said)
            return said
