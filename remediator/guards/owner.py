"""What is applied by somebody else's controller is not changed behind its back."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from remediator.domain.answers import GuardAnswer, GuardVerdict
from remediator.domain.change import Change, Scaling
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import Guard
from remediator.workloads.owners import SELF_HEAL, FoundOwner, owners_of
from remediator.workloads.writers import appliers

_APPLIED = frozenset({"rollback", "scale", "undo"})
"""What whoever applies the workload would take back; a restart is left alone by most of them."""


class Owner(Guard):
    """Refuses, asks or allows by what applies the workload.

    Argo Rollouts and Flagger do their own rollbacks: refused. What Flux, Argo CD with self-heal or an
    operator would put back is handed over with what to revert; restarts survive all of these but an
    operator's. Argo CD without self-heal asks before a rollback. Plain Helm allows, until its next upgrade.
    Whose next server-side apply may conflict with a rollback is told beforehand. A scaling is judged as a rollback.
    """

    actions: ClassVar[frozenset[str] | None] = frozenset({"rollback", "restart", "scale", "undo"})

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict:
        target = change.target
        workload = await kit.kube.get(target.kind, target.namespace, target.name)
        if workload is None:
            return self.unknown(f"{target} does not exist")
        rollouts = await kit.kube.list("rollout", target.namespace)
        canaries = await kit.kube.list("canary", target.namespace)
        field = "replicas" if isinstance(change, Scaling) else "template"
        return self.judged(owners_of(workload, rollouts, canaries), change, appliers(workload, field))

    def judged(
        self, owners: Sequence[FoundOwner], change: Change, applying: Sequence[str] = ()
    ) -> GuardVerdict:
        """The strictest of what each owner makes of this change; `applying` are those who apply server-side."""
        verdict = self._strictest(owners, change)
        # A restart sets nothing that anybody applies. Flux and Argo CD apply with force.
        forced = any(each.kind in ("flux", "argocd") for each in owners)
        if change.action not in _APPLIED or forced or verdict.answer == GuardAnswer.REFUSE:
            return verdict
        return verdict.model_copy(update={"caveats": (*verdict.caveats, *map(_conflict, applying))})

    def _strictest(self, owners: Sequence[FoundOwner], change: Change) -> GuardVerdict:
        if not owners:
            return self.allow("nothing but people and pipelines is known to apply it")
        inputs = {"owners": [each.model_dump(mode="json") for each in owners]}
        verdicts = [self._of(each, change, inputs) for each in owners]
        for wanted in ("refuse", "ask"):
            for verdict in verdicts:
                if verdict.answer == wanted:
                    return verdict
        return verdicts[0]

    def _of(self, owner: FoundOwner, change: Change, inputs: Mapping[str, object]) -> GuardVerdict:
        title, rollback = owner.title, change.action in _APPLIED
        back = f"{change.from_title} -> {change.to_title}"
        match owner.kind:
            case "argo_rollouts" | "flagger":
                return self.refuse(f"{title} rolls it out and back: abort or promote there", inputs)
            case "controller" if rollback:
                return self.refuse(
                    f"{title} controls it and would undo this: change it there, {back}", inputs
                )
            case "controller":
                return self.ask(f"{title} controls it and may undo a restart", inputs)
            case "other_owner" if rollback:
                return self.ask(f"{title} is one of its owners and may undo this", inputs)
            case "flux" | "argocd" if rollback and owner.puts_back:
                in_git = "Set it" if isinstance(change, Scaling) else "Revert"
                return self.refuse(
                    f"{title} would undo this{_unless(owner)}. {in_git} in Git: {back}", inputs
                )
            case "flux" | "argocd" if rollback:
                return self.ask(
                    f"{title} undoes this with its next sync: revert in Git as well, {back}", inputs
                )
            case "helm" if rollback:
                caveat = (
                    f"{title} applies its own version again with the next upgrade: revert it there, {back}."
                )
                return self.allow(f"{title} puts nothing back by itself", inputs, (caveat,))
            case _:
                return self.allow(f"{title} applies it and leaves a restart alone", inputs)


def _unless(owner: FoundOwner) -> str:
    """What its team can do where Argo CD is not to put anything back."""
    return f" (if it does not heal itself, annotate it {SELF_HEAL}=false)" if owner.kind == "argocd" else ""


def _conflict(manager: str) -> str:
    return (
        f"{manager} deploys by server-side apply: its next apply may conflict with remediator over what is "
        "changed, and then needs --force-conflicts once."
    )
