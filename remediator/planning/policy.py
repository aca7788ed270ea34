"""What the operator decided for all rules together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from remediator.domain.rule_mode import Cap
from remediator.domain.run_view import MODES, Mode
from remediator.domain.severity import Severity, SeverityLine, severity_of
from remediator.settings.load import Settings
from remediator.settings.sections import Storms


@dataclass(frozen=True, slots=True)
class Policy:
    """The part of the settings that planning goes by."""

    cluster: str
    cluster_label: str | None
    """The alert label that names the cluster, where one Alertmanager serves several."""
    ceiling: Mode
    """Everywhere, with what forces it down."""
    ceilings: Mapping[str, Mode]
    """By namespace, where one has its own."""
    insecure: bool
    """Alerts are taken from anybody."""
    probation: timedelta
    settle: timedelta
    storm: Storms
    severities: Sequence[SeverityLine]

    @classmethod
    def of(cls, settings: Settings) -> "Policy":
        """As configured."""
        return cls(
            cluster=settings.cluster.name,
            cluster_label=settings.cluster.label,
            ceiling=settings.effective_ceiling,
            ceilings=settings.ceilings,
            insecure=settings.intake.insecure,
            probation=settings.probation,
            settle=settings.engine.settle,
            storm=settings.storm,
            severities=[line for entry in settings.severity_map for line in entry.lines],
        )

    def caps(self, namespace: str | None = None) -> list[Cap]:
        """What holds every rule; on targets in `namespace`, or wherever that is."""
        why = (
            "alerts are taken from anybody (intake.insecure)"
            if self.insecure
            else f"the ceiling is {self.ceiling}"
        )
        found = [Cap(mode=self.ceiling, why=why)]
        mode = self.ceilings.get(namespace or "")
        if mode is not None:
            found.append(Cap(mode=mode, why=f"the ceiling in namespace {namespace} is {mode}"))
        return found

    def severity_of(self, labels: Mapping[str, str]) -> Severity:
        """How urgent an alert with these labels is."""
        return severity_of(labels, self.severities)

    def ceiling_in(self, namespace: str, beside: Sequence[Cap] = ()) -> Cap:
        """How far anything may go on targets in a namespace, whoever asks for it; `beside` holds it as well."""
        return min([*self.caps(namespace), *beside], key=lambda cap: MODES.index(cap.mode))
