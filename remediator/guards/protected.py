"""What must never be touched, whatever a rule says."""

from remediator.clients.kube_answer import Forbidden
from remediator.domain.answers import GuardVerdict
from remediator.domain.run_view import RunView
from remediator.domain.target import Target
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.settings.protected import Protected as ProtectedNames
from remediator.settings.protected import Service
from remediator.step import TargetGuard
from remediator.workloads.furniture import backends, behind, why_furniture


class Protected(TargetGuard):
    """Refuses what we and the cluster stand on.

    Protected namespaces and targets; whatever is part of monitoring, DNS, network, ingress or admission by its
    name, labels or owner, in any namespace; what is behind a Service of ours (the database) or of an
    admission webhook. Where webhook configurations may not be listed, their backends are known by their names only.
    """

    async def on_target(self, run: RunView, kit: Kit) -> GuardVerdict:
        target = run.target
        by_name = self.by_name(target, kit.protected)
        if by_name is not None:
            return by_name
        workload = await kit.kube.get(target.kind, target.namespace, target.name)
        if workload is None:
            return self.unknown(f"{target} does not exist", {"target": str(target)})
        furniture = why_furniture(workload)
        if furniture is not None:
            return self.refuse(f"{target} is protected: {furniture}", {"target": str(target)})
        return await self._of_services(run, workload, kit)

    def by_name(self, target: Target, protected: ProtectedNames) -> GuardVerdict | None:
        """The refusal that the names alone give; None where one has to look."""
        whose = protected.why_namespace(target.namespace)
        if whose is not None:
            why = f"namespace {target.namespace} is protected: {whose} lives there"
            return self.refuse(why, {"namespace": target.namespace})
        if str(target) in protected.targets:
            return self.refuse(f"{target} is protected by name", {"target": str(target)})
        return None

    async def _of_services(self, run: RunView, workload: JsonObject, kit: Kit) -> GuardVerdict:
        target = run.target
        webhooks = await _webhook_backends(kit)
        needed = {**dict.fromkeys(webhooks or (), "an admission webhook"), **kit.protected.services}
        inputs = {"target": str(target), "webhooks_listed": webhooks is not None}
        for service, whose in sorted(needed.items()):
            if service.namespace != target.namespace:
                continue
            found = await kit.kube.get("service", service.namespace, service.name)
            if behind(found, service.name, workload):
                why = f"{target} is protected: it is behind Service {service.name}, which is {whose}"
                return self.refuse(why, {**inputs, "service": service.name})
        return self.allow("neither the namespace nor the workload is protected", inputs)


async def _webhook_backends(kit: Kit) -> set[Service] | None:
    """The Services of all admission webhooks; None where they may not be listed."""
    try:
        configurations = [*await kit.kube.validating_webhooks(), *await kit.kube.mutating_webhooks()]
    except Forbidden:
        return None
    return {Service(*each) for configuration in configurations for each in backends(configuration)}
