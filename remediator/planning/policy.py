"""What the operator decided for all rules together."""

from dataclasses import dataclass
from datetime import timedelta

from remediator.domain.run_view import Mode
from remediator.settings.load import Settings
from remediator.settings.sections import Storms


@dataclass(frozen=True, slots=True)
class Policy:
    """The part of the settings that planning goes by."""

    cluster: str
    cluster_label: str | None
    """The alert label that names the cluster, where one Alertmanager serves several."""
    ceiling: Mode
    probation: timedelta
    settle: timedelta
    storm: Storms

    @classmethod
    def of(cls, settings: Settings) -> "Policy":
        """As configured; unauthenticated intake forces the ceiling down."""
        return cls(
            cluster=settings.cluster.name,
            cluster_label=settings.cluster.label,
            ceiling=settings.effective_ceiling,
            probation=settings.probation,
            settle=settings.engine.settle,
            storm=settings.storm,
        )
