"""Only namespaces whose owners said yes."""

from remediator.domain.answers import GuardVerdict
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import TargetGuard

ENABLED = "remediator.io/enabled"
"""Label on a namespace; only the exact value `true` opts in."""


class OptedIn(TargetGuard):
    """Refuses unless the target's namespace is labelled `remediator.io/enabled: "true"`."""

    async def on_target(self, run: RunView, kit: Kit) -> GuardVerdict:
        name = run.target.namespace
        namespace = await kit.kube.namespace(name)
        if namespace is None:
            return self.refuse(f"namespace {name} does not exist", {"namespace": name})
        value = (namespace["metadata"].get("labels") or {}).get(ENABLED)
        if value == "true":
            return self.allow(f"namespace {name} is labelled {ENABLED}=true", {"value": value})
        return self.refuse(
            f"namespace {name} has not opted in: label it {ENABLED}=true to allow changes", {"value": value}
        )
