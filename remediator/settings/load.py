"""Flags, environment and remediator.yml become Settings here, and nowhere else are they read."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError

from remediator.domain.duration import Duration
from remediator.domain.run_view import Mode
from remediator.errors import Permanent
from remediator.settings.databases import ApplicationDatabase
from remediator.settings.sections import (
    Approvals,
    Breakers,
    Budgets,
    Cluster,
    DatabaseLimits,
    Engine,
    Host,
    Intake,
    Kubernetes,
    KubernetesPeople,
    MonitoringWorks,
    Namespace,
    Peers,
    Person,
    PrometheusServer,
    Retention,
    Section,
    Shadow,
    Storms,
)

_UNREADABLE = "cannot be read"


class Settings(Section):
    """Everything remediator.yml and the flags may say."""

    cluster: Cluster = Cluster()
    alertmanagers: Peers = Peers()
    prometheus: PrometheusServer = PrometheusServer()
    monitoring: MonitoringWorks = MonitoringWorks()
    kubernetes: Kubernetes = Kubernetes()
    intake: Intake = Intake()
    people: tuple[Person, ...] = ()
    kubernetes_people: KubernetesPeople | None = None
    web_config_file: Path | None = None
    """exporter-toolkit's file, of which basic_auth_users is used."""
    databases: tuple[ApplicationDatabase, ...] = ()
    notifiers: tuple[dict[str, Any], ...] = ()
    """Entries of the catalogue's notifiers, for example `webhook: {url_file: ...}`."""
    protected_namespaces: tuple[str, ...] = ()
    """Beside the built-in ones and those that other settings lead to (see settings/protected)."""
    protected_targets: tuple[str, ...] = ()
    http_allow: tuple[Host, ...] = ()
    """What rules may have asked over HTTP (`dependency_healthy`); nothing else is."""
    pause_file: Path | None = None
    """While this file is there nothing is changed; its first line says why."""
    ceiling: Mode = "act"
    """No rule gets further than this, whatever it says."""
    ceilings: dict[Namespace, Mode] = Field(default_factory=dict)
    """The same for the targets in single namespaces; the lower of the two holds."""
    probation: Duration = timedelta(days=7)
    """A new or widened rule stays in shadow this long unless a person approves it; 0s where review is the approval."""
    approvals: Approvals = Approvals()
    budgets: Budgets = Budgets()
    storm: Storms = Storms()
    breakers: Breakers = Breakers()
    shadow: Shadow = Shadow()
    engine: Engine = Engine()
    database: DatabaseLimits = DatabaseLimits()
    retention: Retention = Retention()

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
    "REMEDIATOR_WEB_CONFIG_FILE": "web_config_file",
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
