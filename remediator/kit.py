"""The tools a step may use: reading clients, the clock, and what the database remembers."""

from dataclasses import dataclass

from remediator.clients.alertmanager import AlertmanagerClient
from remediator.clients.basis import read_basis
from remediator.clients.databases import Databases
from remediator.clients.http import HttpClient
from remediator.clients.kube_read import KubeReader
from remediator.clients.monitoring import Monitoring
from remediator.clients.pause_file import PauseFile
from remediator.clients.prometheus import PrometheusClient
from remediator.clients.schema_version import SchemaVersion
from remediator.clock import Clock
from remediator.domain.basis import Basis
from remediator.domain.history import History
from remediator.domain.rule_mode import Rulings
from remediator.domain.target import Target
from remediator.settings.protected import Protected


@dataclass(frozen=True, slots=True)
class Kit:
    """Frozen, and the same for every step. Nothing in it can change the cluster."""

    cluster: str
    cluster_label: str | None
    """The alert label that names the cluster; None where one Alertmanager serves one cluster."""
    protected: Protected
    kube: KubeReader
    prometheus: PrometheusClient
    alertmanager: AlertmanagerClient
    monitoring: Monitoring
    http: HttpClient
    http_allow: frozenset[str]
    """Hosts, or host:port, that a rule may have asked over HTTP."""
    clock: Clock
    history: History
    rules: Rulings
    pause_file: PauseFile
    databases: Databases
    """The databases of applications that may be looked into."""
    schemas: tuple[SchemaVersion, ...] = ()
    """Those whose schema's version may be asked for."""

    async def basis(self, target: Target) -> Basis | None:
        """What a plan about this target rests on just now. Raises as the reader does."""
        return await read_basis(self.kube, target)
