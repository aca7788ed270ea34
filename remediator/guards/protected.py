"""What must never be touched, whatever a rule says."""

from remediator.domain.answers import GuardVerdict
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import TargetGuard


class Protected(TargetGuard):
    """Refuses targets in protected namespaces and targets protected by name."""

    async def on_target(self, run: RunView, kit: Kit) -> GuardVerdict:
        target = run.target
        if target.namespace in kit.protected.namespaces:
            return self.refuse(f"namespace {target.namespace} is protected", {"namespace": target.namespace})
        if str(target) in kit.protected.targets:
            return self.refuse(f"{target} is protected by name", {"target": str(target)})
        return self.allow("neither the namespace nor the workload is protected", {"target": str(target)})
