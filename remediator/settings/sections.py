"""The sections of remediator.yml: what an operator may write in each."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from remediator.domain.duration import REMEMBERED, Duration

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9]([-a-z0-9.]*[a-z0-9])?)(:[0-9]{1,5})?")


def _a_host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError(f"{text!r} is not a host or host:port, in lower case and without http://")
    return text


Host = Annotated[str, AfterValidator(_a_host)]
"""`payments.shop.svc` with all its ports, or `payments.shop.svc:8080`."""


class Section(BaseModel):
    """A part of remediator.yml: nothing in it but what it knows, and unchanging once read."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Cluster(Section):
    """Which cluster this is."""

    name: str = "default"
    label: str | None = None
    """The alert label that names the cluster, where one Alertmanager serves several."""


class Peers(Section):
    """Every Alertmanager that may send us alerts, and the credentials to ask them."""

    urls: tuple[str, ...] = ()
    token_file: Path | None = None

    @field_validator("urls")
    @classmethod
    def _each_once(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        """One peer named twice would answer for two when half of the peers must answer."""
        seen: set[str] = set()
        for url in urls:
            peer = url.rstrip("/")
            if peer in seen:
                raise ValueError(f"{url} is there twice: name each peer once, by its own address")
            seen.add(peer)
        return urls


class PrometheusServer(Section):
    """Where queries go."""

    url: str | None = None
    token_file: Path | None = None


class Substitute(Section):
    """What shows that monitoring works where no Watchdog fires."""

    promql: str = Field(min_length=1)
    """A query that is above 0 while monitoring works."""


class MonitoringWorks(Section):
    """What shows that Prometheus evaluates its rules and reaches Alertmanager. Without it nothing is changed."""

    watchdog: str = Field(default="Watchdog", min_length=1)
    """The alertname of the alert that always fires."""
    older_than: Duration = Field(default=timedelta(minutes=5), gt=timedelta(0))
    """A peer that received it longer ago holds an old one; Prometheus repeats what fires every minute."""
    substitute: Substitute | None = None


class Kubernetes(Section):
    """How to reach the API server, and which namespaces to remember."""

    kubeconfig: Path | None = None
    """None means in-cluster."""
    namespaces: tuple[str, ...] = ()
    """Watched by the memory when they have opted in; empty means every namespace labelled so."""


class BasicAuth(Section):
    """A user name and the file with its password."""

    username: str
    password_file: Path


class Intake(Section):
    """Who may post alerts."""

    token_file: Path | None = None
    basic_auth: BasicAuth | None = None
    insecure: bool = Field(default=False, strict=True)
    """Takes alerts from anybody. Nothing is ever changed then: everything stays in shadow."""
    max_body_bytes: int = Field(default=32 * 1024 * 1024, strict=True, ge=1024)
    max_waiting_requests: int = Field(default=512, strict=True, ge=1)


Namespace = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
"""A namespace's name: nothing that could mean several."""

Role = Literal["view", "approve", "operate"]


class Person(Section):
    """Somebody (or something) that may use the API."""

    name: str
    token_file: Path | None = None
    """None for somebody with a password in web.config.file."""
    roles: tuple[Role, ...] = ("view",)


class KubernetesPeople(Section):
    """Users of Kubernetes may use the API: RBAC says who, by verbs on `remediator.io/runs`."""

    audience: str = Field(default="remediator", min_length=1)
    """What a token must be for; one for the API server itself is not taken."""


class Approvals(Section):
    """What people are asked to agree to."""

    expire_after: Duration = Field(default=timedelta(minutes=15), gt=timedelta(0))
    """How long a request waits, and how long a yes may be used."""


class Engine(Section):
    """The rhythm of the loops. The defaults are right for production; tests and the demo are quicker."""

    owner: str | None = None
    """Names this replica in leases; None makes one up."""
    lease: Duration = timedelta(seconds=15)
    tick: Duration = timedelta(seconds=1)
    memory_every: Duration = timedelta(seconds=15)
    reconcile_every: Duration = timedelta(seconds=30)
    verify_every: Duration = timedelta(seconds=15)
    hold: Duration = timedelta(seconds=30)
    """How long a passing refusal waits before asking again."""
    give_up_holding_after: Duration = timedelta(hours=1)
    settle: Duration = timedelta(minutes=10)
    """Nothing new is planned on a target until this long after its last run ended."""
    workers: int = Field(default=4, strict=True, ge=1, le=64)


class Budgets(Section):
    """How many effects all replicas together may make, whatever the rules say."""

    everywhere: int = Field(default=5, strict=True, ge=1, le=1000)
    in_namespace: int = Field(default=2, strict=True, ge=1, le=1000)
    per: Duration = Field(default=timedelta(minutes=10), gt=timedelta(0), le=REMEMBERED)
    """The window of the two above."""
    unsettled: int = Field(default=2, strict=True, ge=1, le=1000)
    """Effects at once of which it is not known yet whether they helped."""


class Storms(Section):
    """When so many targets begin to fire at once that nothing is changed any more."""

    window: Duration = Field(default=timedelta(minutes=5), gt=timedelta(0))
    in_namespace: int = Field(default=4, strict=True, ge=2, le=100_000)
    anywhere: int = Field(default=8, strict=True, ge=2, le=100_000)
    cool_down: Duration = timedelta(minutes=10)
    """It is over when the threshold was not reached for so long."""


class Breakers(Section):
    """When a target is left to people, and a rule brought down, because acting failed."""

    came_back_within: Duration = Field(default=timedelta(hours=1), le=REMEMBERED)
    """A change that helped counts as failed when its alert is back this soon after its run ended."""
    failures: int = Field(default=2, strict=True, ge=1)
    """So many on one target, by whatever rule, open its breaker."""
    per: Duration = Field(default=timedelta(hours=24), gt=timedelta(0), le=REMEMBERED)
    open_for: Duration = timedelta(hours=24)
    openings: int = Field(default=2, strict=True, ge=1)
    """So many that a rule had part in bring it down to ask, twice as many to shadow."""
    demote_within: Duration = Field(default=timedelta(days=7), le=REMEMBERED)
    held: float | None = Field(default=0.5, strict=True, gt=0.0, le=1.0)
    """A rule of whose changes a smaller share certainly holds is brought down; None for never."""
    acted: int = Field(default=10, strict=True, ge=1, le=100_000)
    """Of so many changes that is asked; after twice as many it is brought down to shadow."""


class EarnsAsk(Section):
    """When what a rule would have done in shadow speaks for mode ask."""

    decisions: int = Field(default=10, strict=True, ge=1, le=100_000)
    """Of so many it has to be known what became of them."""
    precision: float = Field(default=0.5, strict=True, ge=0.0, le=1.0)
    """The share in which people made the same change; the lower end of its interval has to reach this."""
    harmed: int | None = Field(default=None, strict=True, ge=0)
    """So many at most would have harmed; None for however many."""


class EarnsAct(EarnsAsk):
    """The same for mode act."""

    decisions: int = Field(default=20, strict=True, ge=1, le=100_000)
    precision: float = Field(default=0.9, strict=True, ge=0.0, le=1.0)
    harmed: int | None = Field(default=0, strict=True, ge=0)


class Shadow(Section):
    """How what was decided in shadow is held against what happened."""

    ask: EarnsAsk = EarnsAsk()
    act: EarnsAct = EarnsAct()
    window: Duration = Field(default=timedelta(minutes=30), gt=timedelta(0), le=timedelta(days=1))
    """More alerts so soon after a decision mean that it got worse."""


class DatabaseLimits(Section):
    """How much of our own database this process takes, and how long anything may take there."""

    connections: int = Field(default=10, strict=True, ge=2, le=100)
    statement_timeout: Duration = Field(default=timedelta(seconds=10), ge=timedelta(seconds=1))
    lock_timeout: Duration = Field(default=timedelta(seconds=2), ge=timedelta(milliseconds=100))
    """How long a statement waits for a row that another one holds."""
    idle_in_transaction_timeout: Duration = Field(default=timedelta(seconds=5), ge=timedelta(seconds=1))
    """A replica that was stopped in the middle of a transaction keeps its locks no longer than this."""


class Retention(Section):
    """How long what is over is kept. What is open, and what a decision may still need, is kept in any case."""

    notices: Duration = Field(default=timedelta(days=30), ge=timedelta(days=30))
    """What Alertmanager sent, once read and its episode closed; quarantined alerts; episodes without incident."""
    shadow_runs: Duration = Field(default=REMEMBERED, ge=REMEMBERED)
    """Incidents in which nothing but shadow runs looked."""
    incidents: Duration = Field(default=timedelta(days=365), ge=REMEMBERED)
    """Closed incidents, with their episodes, runs, journal and delivered notices."""
    memory: Duration = Field(default=REMEMBERED, ge=REMEMBERED)
    """Versions of workloads that ended, and schemas of applications."""
