"""deploy/base: what runs, with which rights in its own container, and with settings that load."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from remediator import app
from remediator.settings.load import Settings, load_settings
from remediator.settings.protected import protected_by
from remediator.web import gate, listen
from tests.deploy.manifests import DEPLOY, ROOT, Manifest, base, containers, daemon, of_kind, pod

OPERATING = (ROOT / "docs" / "operating.md").read_text()
DATABASE_CLOSES = 5.0
"""Seconds; Database.close."""

EVERY_CONTAINER = pytest.mark.parametrize("container", containers(), ids=lambda each: str(each["name"]))


def settings(tmp_path: Path) -> Settings:
    """The settings the pod comes up with."""
    (found,) = of_kind("ConfigMap")["data"].items()
    config = tmp_path / found[0]
    config.write_text(found[1])
    return load_settings(config, {}, {"REMEDIATOR_DATABASE_URL": "postgresql:///remediator"})


def help_of(command: str) -> str:
    called = [sys.executable, "-m", "remediator", command, "--help"]
    return subprocess.run(called, check=True, capture_output=True, text=True, cwd=ROOT).stdout


@pytest.mark.parametrize(
    "path", sorted(DEPLOY.rglob("*.y*ml")), ids=lambda path: path.relative_to(DEPLOY).as_posix()
)
def test_every_file_is_yaml_and_says_something(path: Path) -> None:
    assert all(isinstance(each, dict) and each for each in yaml.safe_load_all(path.read_text()))


def test_the_base_holds_one_of_each_and_nothing_else() -> None:
    assert sorted(each["kind"] for each in base()) == [
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "Deployment",
        "Namespace",
        "Service",
        "ServiceAccount",
    ]
    inside = {each["metadata"]["namespace"] for each in base() if "namespace" in each["metadata"]}
    assert inside == {of_kind("Namespace")["metadata"]["name"]} == {"remediator"}


@EVERY_CONTAINER
def test_a_container_can_write_nothing_and_become_nobody_else(container: Manifest) -> None:
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod()["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "fsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert all(each["readOnly"] for each in container.get("volumeMounts", ()))
    assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & set(pod())


def test_the_user_is_that_of_the_image() -> None:
    assert "\nUSER 65532:65532\n" in (ROOT / "Dockerfile").read_text()


def test_the_namespace_refuses_pods_that_are_allowed_more() -> None:
    assert of_kind("Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@EVERY_CONTAINER
def test_the_image_is_this_version_and_of_no_registry(container: Manifest) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert container["image"] == f"remediator:{version}"


@EVERY_CONTAINER
def test_memory_is_bounded_and_cpu_is_asked_for(container: Manifest) -> None:
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}
    assert set(container["resources"]["limits"]) == {"memory"}


@EVERY_CONTAINER
def test_its_arguments_are_a_command_and_flags_of_it(container: Manifest) -> None:
    command, *flags = container["args"]
    told = help_of(command)
    assert all(flag.partition("=")[0] in told for flag in flags)


def test_only_the_pod_asks_for_a_token() -> None:
    assert of_kind("ServiceAccount")["automountServiceAccountToken"] is False
    assert pod()["automountServiceAccountToken"] is True
    assert pod()["serviceAccountName"] == of_kind("ServiceAccount")["metadata"]["name"]


def test_services_put_nothing_among_our_environment_variables() -> None:
    assert pod()["enableServiceLinks"] is False


def test_the_pod_is_given_longer_than_the_daemon_takes_to_stop() -> None:
    takes = listen._SHUTDOWN_SECONDS + gate._FROM_ALERTMANAGER_SECONDS + app._STOP_SECONDS + DATABASE_CLOSES
    assert pod()["terminationGracePeriodSeconds"] >= takes + 10


def test_probes_ask_what_they_are_for() -> None:
    paths = {name: daemon()[name]["httpGet"]["path"] for name in daemon() if name.endswith("Probe")}
    assert paths == {
        "startupProbe": "/-/healthy",
        "livenessProbe": "/-/healthy",
        "readinessProbe": "/-/ready",
    }


def test_the_schema_is_brought_up_to_date_before_the_daemon_starts_and_by_another_user() -> None:
    (first,) = pod()["initContainers"]
    assert first["args"] == ["migrate"]
    keys = [
        each["env"][0]["valueFrom"]["secretKeyRef"]
        for each in (first, daemon())
        if each["env"][0]["name"] == "REMEDIATOR_DATABASE_URL"
    ]
    assert [each["key"] for each in keys] == ["migrate-url", "url"]


def test_the_settings_load_and_let_nothing_be_changed_at_first(tmp_path: Path) -> None:
    found = settings(tmp_path)
    assert found.effective_ceiling == "shadow"
    assert found.intake.insecure is False
    assert found.intake.token_file is not None
    assert found.alertmanagers.urls
    assert found.prometheus.url
    assert {role for person in found.people for role in person.roles} == {"view", "approve", "operate"}
    namespace = of_kind("Namespace")["metadata"]["name"]
    assert protected_by(found, None).why_namespace(namespace) == "remediator"


def test_every_file_the_settings_name_is_mounted(tmp_path: Path) -> None:
    found = settings(tmp_path)
    named = [found.intake.token_file, *(each.token_file for each in found.people), *found.rules]
    mounted = [Path(each["mountPath"]) for each in daemon()["volumeMounts"]]
    assert all(any(path.is_relative_to(mount) for mount in mounted) for path in named if path is not None)
    (flag,) = [each for each in daemon()["args"] if each.startswith("--config.file=")]
    assert any(Path(flag.partition("=")[2]).is_relative_to(mount) for mount in mounted)


def test_what_the_pod_needs_is_in_the_base_or_said_to_be_made_first(tmp_path: Path) -> None:
    mine = {of_kind("ConfigMap")["metadata"]["name"]}
    volumes = {next(iter(set(each) - {"name"})): each for each in pod()["volumes"]}
    assert set(volumes) == {"configMap", "secret"}
    maps = {each["configMap"]["name"] for each in pod()["volumes"] if "configMap" in each}
    assert maps - mine == {"remediator-rules"}
    assert "create configmap remediator-rules --from-file=rules/" in OPERATING
    secrets = {"remediator-database": {"url", "migrate-url"}, "remediator-tokens": set[str]()}
    found = settings(tmp_path)
    for path in (found.intake.token_file, *(each.token_file for each in found.people)):
        assert path is not None
        secrets["remediator-tokens"].add(path.name)
    for name, keys in secrets.items():
        (made,) = re.findall(rf"create secret generic {name}((?: \\\n.*|.*)+?)\n(?! )", OPERATING)
        assert set(re.findall(r"--from-(?:literal|file)=([\w-]+)=", made)) == keys


def test_the_service_leads_to_the_port_that_is_listened_on(tmp_path: Path) -> None:
    (port,) = daemon()["ports"]
    assert settings(tmp_path).listen_address == f":{port['containerPort']}"
    spec = of_kind("Service")["spec"]
    assert spec["ports"][0]["targetPort"] == port["name"]
    labels = of_kind("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert spec["selector"].items() <= labels.items()
    assert of_kind("Deployment")["spec"]["selector"]["matchLabels"] == spec["selector"]
