"""What the target needs has to be well: no restart cures a service whose database is down."""

import asyncio

from pydantic import Field

from remediator.clients.probe import Address, probe, why_not_allowed
from remediator.clients.workload import SeenWorkload, look_at
from remediator.domain.answers import GuardAnswer, GuardVerdict
from remediator.domain.change import Change
from remediator.domain.run_view import RunView
from remediator.domain.target import KINDS, Target
from remediator.errors import RemediatorError
from remediator.kit import Kit
from remediator.step import Guard
from remediator.workloads.rollout_status import rollout_status

_PROBE_SECONDS = 5.0


class DependencyHealthy(Guard):
    """Every workload under `depends_on` is ready, or `http` answers 2xx.

    Alone, it looks at what `depends_on` of the entry under `targets:` names: a Deployment, StatefulSet or
    DaemonSet is well when as many pods are ready as are wanted, at least one, and its rollout is not stuck. Of
    other kinds nothing can be told. With `http: http://...` that address is asked instead; its host has
    to stand in `http_allow` of the settings.
    """

    http: Address | None = None
    """An address that has to answer 2xx instead of `depends_on`. Its host stands in `http_allow` of the settings."""
    where_known: bool = Field(default=False, strict=True)
    """Whether a target of which no dependency is named may be changed all the same."""

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        if self.http is not None:
            return await self._probed(self.http, kit)
        if not run.depends_on and self.where_known:
            return self.allow("no dependency of it is named under targets:")
        if not run.depends_on:
            return self.refuse("no dependency is known: name them in depends_on under targets:, or give http")
        looks = (self._of_workload(each, run, kit) for each in run.depends_on)
        return self._together(await asyncio.gather(*looks), run.depends_on)

    async def _probed(self, url: str, kit: Kit) -> GuardVerdict:
        inputs: dict[str, object] = {"http": url, "wanted": "2xx"}
        refused = why_not_allowed(url, kit.http_allow)
        if refused is not None:
            return self.refuse(refused, inputs)
        status = (await probe(kit.http, url, _PROBE_SECONDS)).status
        inputs["status"] = status
        if 200 <= status < 300:
            return self.allow(f"{url} answered {status}", inputs)
        if 300 <= status < 400:
            return self.unknown(f"{url} answered {status}, and redirects are not followed", inputs)
        return self.refuse(f"{url} answered {status}", inputs, passing=True)

    async def _of_workload(self, named: str, run: RunView, kit: Kit) -> GuardVerdict:
        kind = named.partition("/")[0]
        if kind not in KINDS:
            return self.unknown(f"whether {named} is well cannot be told: it is not a {', '.join(KINDS)}")
        try:
            seen = await look_at(kit.kube, Target.parse(named, run.target.cluster))
        except (RemediatorError, ValueError) as reason:
            return self.unknown(f"{named} cannot be read: {reason}")
        if seen is None:
            return self.unknown(f"{named} does not exist")
        return self._judged(named, seen, kit)

    def _judged(self, named: str, seen: SeenWorkload, kit: Kit) -> GuardVerdict:
        status = rollout_status(seen.workload, seen.revision_objects, seen.pods, kit.clock.now())
        if status.numbers is None or status.state == "unknown" or not status.observed:
            return self.unknown(f"{named}: {status.why}")
        ready, wanted = status.numbers.ready, status.numbers.desired
        if wanted == 0:
            return self.refuse(f"{named} is scaled to zero", passing=True)
        if status.state == "stuck":
            return self.refuse(f"{named}: {status.why}", passing=True)
        if ready < wanted:
            return self.refuse(f"{ready} of {wanted} pods of {named} are ready", passing=True)
        return self.allow(f"{ready} of {wanted} pods of {named} are ready")

    def _together(self, answers: list[GuardVerdict], named: tuple[str, ...]) -> GuardVerdict:
        """A dependency that is ill decides before one of which nothing is known."""
        inputs = {name: answer.why for name, answer in zip(named, answers, strict=True)}
        order = (GuardAnswer.REFUSE, GuardAnswer.UNKNOWN, GuardAnswer.ALLOW)
        first = min(answers, key=lambda each: order.index(each.answer))
        return first.model_copy(update={"inputs": inputs})
