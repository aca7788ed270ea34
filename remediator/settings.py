"""Flags, environment and remediator.yml become Settings here, and nowhere else are they read."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from remediator.domain.duration import Duration
from remediator.domain.run_view import Mode
from remediator.domain.target import Target
from remediator.errors import Permanent

_UNREADABLE = "cannot be read"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Cluster(_Section):
    """Which cluster this is."""

    name: str = "default"
    label: str | None = None
    """The alert label that names the cluster, where one Alertmanager serves several."""


class Peers(_Section):
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


class PrometheusServer(_Section):
    """Where queries go."""

    url: str | None = None
    token_file: Path | None = None


class Kubernetes(_Section):
    """How to reach the API server, and which namespaces to remember."""

    kubeconfig: Path | None = None
    """None means in-cluster."""
    namespaces: tuple[str, ...] = ()
    """Watched by the memory when they have opted in; empty means every namespace labelled so."""


class BasicAuth(_Section):
    """A user name and the file with its password."""

    username: str
    password_file: Path


class Intake(_Section):
    """Who may post alerts."""

    token_file: Path | None = None
    basic_auth: BasicAuth | None = None
    insecure: bool = Field(default=False, strict=True)
    """Takes alerts from anybody. Nothing is ever changed then: everything stays in shadow."""
    max_body_bytes: int = Field(default=32 * 1024 * 1024, strict=True, ge=1024)
    max_waiting_requests: int = Field(default=512, strict=True, ge=1)


Role = Literal["view", "approve", "operate"]


class Person(_Section):
    """Somebody (or something) that may use the API."""

    name: str
    token_file: Path
    roles: tuple[Role, ...] = ("view",)


class Engine(_Section):
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


class ApplicationDatabase(_Section):
    """A database of applications, asked read-only at which version its schema is."""

    name: str
    dsn_file: Path
    targets: tuple[str, ...]
    """`kind/namespace/name` of the workloads whose schema it holds."""
    version_query: str | None = None
    """Answers the version as one text; None asks the tables of the known migration tools."""

    @field_validator("targets")
    @classmethod
    def _of_workloads(cls, targets: tuple[str, ...]) -> tuple[str, ...]:
        """A target that names nothing would mean that nothing is ever asked."""
        for each in targets:
            Target.parse(each, cluster="")
        return targets


class Settings(_Section):
    """Everything remediator.yml and the flags may say."""

    cluster: Cluster = Cluster()
    alertmanagers: Peers = Peers()
    prometheus: PrometheusServer = PrometheusServer()
    kubernetes: Kubernetes = Kubernetes()
    intake: Intake = Intake()
    people: tuple[Person, ...] = ()
    databases: tuple[ApplicationDatabase, ...] = ()
    notifiers: tuple[dict[str, Any], ...] = ()
    """Entries of the catalogue's notifiers, for example `webhook: {url_file: ...}`."""
    protected_namespaces: tuple[str, ...] = (
        "kube-system",
        "kube-public",
        "kube-node-lease",
        "monitoring",
        "remediator",
    )
    protected_targets: tuple[str, ...] = ()
    ceiling: Mode = "act"
    """No rule gets further than this, whatever it says."""
    probation: Duration = timedelta(days=7)
    """A new or widened rule stays in shadow this long unless a person approves it; 0s where review is the approval."""
    engine: Engine = Engine()

    rules: tuple[Path, ...] = (Path("rules"),)
    database_url: str = ""
    listen_address: str = "127.0.0.1:9095"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def effective_ceiling(self) -> Mode:
        """The ceiling with what forces it down: unauthenticated alerts never act."""
        return "shadow" if self.intake.insecure and self.ceiling in ("ask", "act") else self.ceiling


_FROM_ENVIRONMENT = {
    "REMEDIATOR_DATABASE_URL": "database_url",
    "REMEDIATOR_WEB_LISTEN_ADDRESS": "listen_address",
    "REMEDIATOR_LOG_LEVEL": "log_level",
}


class _Loader(yaml.SafeLoader):
    """SafeLoader without YAML 1.1's yes, no, on and off: `ceiling: off` is a word, as in rule files."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_settings(config: Path | None, flags: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """Settings from the file, then the environment, then the flags; the later wins.

    Raises Permanent with every mistake of the file, a line each.
    """
    found = {key: value for key, value in (_read(config) if config else {}).items() if value is not None}
    for variable, field in _FROM_ENVIRONMENT.items():
        if environment.get(variable):
            found[field] = environment[variable]
    if environment.get("REMEDIATOR_RULES"):
        found["rules"] = environment["REMEDIATOR_RULES"].split(":")
    if environment.get("REMEDIATOR_KUBECONFIG"):
        found["kubernetes"] = {
            **found.get("kubernetes", {}),
            "kubeconfig": environment["REMEDIATOR_KUBECONFIG"],
        }
    kubeconfig = flags.get("kubeconfig")
    if kubeconfig is not None:
        found["kubernetes"] = {**found.get("kubernetes", {}), "kubeconfig": kubeconfig}
    found.update({key: value for key, value in flags.items() if value is not None and key != "kubeconfig"})
    try:
        return Settings.model_validate(found)
    except ValidationError as mistakes:
        lines = [f"{config or 'settings'}: {_path(each['loc'])}: {each['msg']}" for each in mistakes.errors()]
        raise Permanent("\n".join(lines)) from None


def _read(config: Path) -> dict[str, Any]:
    try:
        found = yaml.load(config.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 -- a SafeLoader
    except OSError as reason:
        raise Permanent(f"{config} {_UNREADABLE}: {reason.strerror}") from reason
    except (yaml.YAMLError, UnicodeDecodeError) as reason:
        raise Permanent(f"{config} {_UNREADABLE}: {reason}") from reason
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise Permanent(f"{config}: a mapping of settings is expected, not {type(found).__name__}")
    return found


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "the whole file"
