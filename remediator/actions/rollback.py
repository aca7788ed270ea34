"""Put back the last version known to be good."""

from dataclasses import replace
from datetime import datetime, timedelta

from pydantic import Field

from remediator.clients.kube_state_metrics import was_available
from remediator.clients.workload import SeenWorkload, look_at
from remediator.domain.answers import Evidence, Proposal, Refusal
from remediator.domain.change import ROLLED_BACK_FROM, TemplatePatch, revision_hash
from remediator.domain.duration import REMEMBERED, Duration, format_duration
from remediator.domain.history import Tenure
from remediator.domain.run_view import RunView
from remediator.errors import Permanent, Retryable
from remediator.kit import Kit
from remediator.step import Action
from remediator.workloads.config_maps import content_hash, mentioned_config_maps
from remediator.workloads.configuration import Configuration
from remediator.workloads.consent import why_ask_for_rollback
from remediator.workloads.difference import difference
from remediator.workloads.last_known_good import SEEN, Choice, Facts, choose, not_seen_for_long
from remediator.workloads.revision import Revision, title
from remediator.workloads.revisions import current_revision, revisions_of
from remediator.workloads.rollout_status import (
    rollout_status,
    rolls_by_itself,
    waits_for_every_pod,
)
from remediator.workloads.stuck_evictions import evictions_of_stuck_pods
from remediator.workloads.stuck_pods import unpullable_images
from remediator.workloads.version import Version

_MEASURED = 3
"""So many versions are asked for in Prometheus; it takes three questions each."""

_ON_DELETE = "a template put back changes no pod there, somebody has to delete them one by one"


class Rollback(Action):
    """Replaces the pod template by that of the newest earlier version known to be good.

    Never "the previous one": what was seen available long enough, without this alert, and was not
    rolled away from. When nothing is known good there is no change, and the table says why.
    """

    soak: Duration = timedelta(minutes=30)
    """How long a version must have been seen fully available to count as good."""
    max_age: Duration = Field(default=timedelta(days=14), le=REMEMBERED)
    """A version last current longer ago than this is not gone back to."""
    strict_config: bool = False
    """Whether a version of whose configuration something could not be observed is not gone back to: a ConfigMap
    that has changed since, a Secret. Else that is told as a caveat."""

    async def propose(self, run: RunView, kit: Kit) -> Proposal:
        seen = await look_at(kit.kube, run.target)
        if seen is None:
            return Proposal(refusal=Refusal(why=f"{run.target} does not exist"))
        if not rolls_by_itself(seen.workload):
            return Proposal(
                refusal=Refusal(why=f"{run.target} has the update strategy OnDelete: {_ON_DELETE}")
            )
        revisions = revisions_of(seen.workload, seen.revision_objects)
        current = current_revision(seen.workload, revisions)
        if current is None:
            why = "the controller has made no revision of the current template yet"
            return Proposal(refusal=Refusal(why=why, passing=True))
        status = rollout_status(seen.workload, seen.revision_objects, seen.pods, kit.clock.now())
        if waits_for_every_pod(seen.workload) and status.state == "in_progress" and not status.rolled_out:
            why = f"which pods of this rollout will have to be evicted is not known yet: {status.why}"
            return Proposal(refusal=Refusal(why=why, passing=True))
        tenures = [each for each in await kit.history.tenures(run.target) if each.uid == seen.uid]
        if tenures and tenures[-1].revision != current.hash:
            why = f"our memory has not seen {title(current)} yet, so what was before it cannot be judged"
            return Proposal(refusal=Refusal(why=why, passing=True))
        choice = await self._choose(run, kit, seen, revisions, tenures)
        evidence = (_table(choice, current),)
        if choice.chosen is None:
            return Proposal(
                refusal=Refusal(why=f"no earlier version is known good: {choice.why}"), evidence=evidence
            )
        patch = self._change(run, seen, current, choice.chosen, choice)
        stuck = evictions_of_stuck_pods(seen.workload, seen.pods, patch, kit.clock.now())
        return Proposal(changes=(patch, *stuck), evidence=evidence)

    async def _choose(
        self,
        run: RunView,
        kit: Kit,
        seen: SeenWorkload,
        revisions: tuple[Revision, ...],
        tenures: list[Tenure],
    ) -> Choice:
        configuration = await _configuration(run, kit, revisions)
        annotations = seen.workload["metadata"].get("annotations") or {}
        of_version = {each.hash: each.template for each in revisions}
        facts = Facts(
            current_revision=revision_hash(seen.template),
            revisions=revisions,
            tenures=tenures,
            alert_spans=await kit.history.alert_spans(run.target, run.alert.name if run.alert else None),
            missing_config={version: configuration.missing(of) for version, of in of_version.items()},
            config_doubts={
                version: configuration.doubts(
                    of, seen.template, [each for each in tenures if each.revision == version], self.soak
                )
                for version, of in of_version.items()
            },
            unpullable=unpullable_images(await kit.kube.list("pod", run.target.namespace)),
            rolled_back_from=annotations.get(ROLLED_BACK_FROM),
            now=kit.clock.now(),
        )
        choice = choose(facts, self.soak, self.max_age, strict_config=self.strict_config)
        measured = await self._measured(run, kit, facts, choice)
        if measured:
            facts = replace(facts, measured=measured)
            choice = choose(facts, self.soak, self.max_age, strict_config=self.strict_config)
        return choice

    async def _measured(self, run: RunView, kit: Kit, facts: Facts, choice: Choice) -> dict[str, str]:
        """What kube-state-metrics proves of the newest versions that our memory was too young to see.

        Without an alert nothing says which one must not have fired then, so that it proves nothing.
        """
        if run.target.kind != "deployment" or run.alert is None:
            return {}
        enough = choice.chosen.number if choice.chosen is not None and choice.source == "memory" else 0
        young = sorted(not_seen_for_long(facts, self.soak), key=_number, reverse=True)
        measured = {}
        for version in [each for each in young if _number(each) > enough][:_MEASURED]:
            until = version.was_current_until(self.soak)
            try:
                if until is not None and await self._was_well(run, kit, version, until):
                    measured[version.hash] = (
                        f"kube-state-metrics shows it fully available for {format_duration(self.soak)} "
                        f"until {until.isoformat(timespec='seconds')}."
                    )
            except (Retryable, Permanent):
                break  # what cannot be asked proves nothing
        return measured

    async def _was_well(self, run: RunView, kit: Kit, version: Version, until: datetime) -> bool:
        """Whether a version was available for the soak time before this moment, without this alert."""
        began = until - self.soak
        of_then = [each for each in version.revisions if each.created_at <= began]
        if not of_then:
            return False
        cluster = (kit.cluster_label, kit.cluster) if kit.cluster_label is not None else None
        prometheus, alert = kit.prometheus, run.the_alert
        return await was_available(
            prometheus, run.target, of_then[0].name, self.soak, until, cluster
        ) and not await prometheus.alert_fired(alert.name, alert.labels, self.soak, until)

    def _change(
        self, run: RunView, seen: SeenWorkload, current: Revision, chosen: Revision, choice: Choice
    ) -> TemplatePatch:
        ask_because = []
        if choice.source not in SEEN:
            ask_because.append("the version is judged by its ReplicaSet's age alone, not by what we saw")
        ask_because.extend(why_ask_for_rollback(seen.workload))
        differences = difference(seen.template, chosen.template)
        return TemplatePatch(
            action=self.key(),
            target=run.target,
            uid=seen.uid,
            from_template=seen.template,
            to_template=chosen.template,
            from_title=title(current),
            to_title=title(chosen),
            summary=f"roll {run.target} back from {title(current)} to {title(chosen)}: "
            + ("; ".join(differences) or "the templates differ in nothing a person would name"),
            annotations={ROLLED_BACK_FROM: current.hash},
            annotations_before={
                ROLLED_BACK_FROM: (seen.workload["metadata"].get("annotations") or {}).get(ROLLED_BACK_FROM)
            },
            ask_because=tuple(ask_because),
            caveats=("whether its image is still in the registry", *_caveats(choice, chosen)),
        )


def _number(version: Version) -> int:
    return version.newest.number if version.newest is not None else 0


async def _configuration(run: RunView, kit: Kit, revisions: tuple[Revision, ...]) -> Configuration:
    """What the ConfigMaps of all versions hold now, and what our memory saw in them."""
    names = {name for each in revisions for name in mentioned_config_maps(each.template)}
    present: dict[str, str | None] = {}
    for name in sorted(names):
        found = await kit.kube.get("configmap", run.target.namespace, name)
        present[name] = content_hash(found) if found is not None else None
    return Configuration(present=present, stretches=await kit.history.config_stretches(run.target, names))


def _caveats(choice: Choice, chosen: Revision) -> tuple[str, ...]:
    return next((each.caveats for each in choice.table if each.hash == chosen.hash), ())


def _table(choice: Choice, current: Revision) -> Evidence:
    """The candidates and why each was or was not taken: shown whatever comes of it."""
    rows = [each.model_dump(mode="json") for each in choice.table]
    return Evidence(
        step="last_known_good",
        summary=choice.why,
        details={"current": title(current), "candidates": rows, "source": choice.source},
    )
