"""What runs: which pods, allowed what in their own containers, reached by whom, with settings that load."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from remediator import app
from remediator.settings.load import Settings, load_settings
from remediator.settings.protected import protected_by
from remediator.web import gate, listen
from tests.deploy.manifests import (
    DEPLOY,
    LEVELS,
    OVERLAYS,
    ROOT,
    Manifest,
    container,
    executor,
    find,
    intake,
    namespace_of,
    of_kind,
    overlay,
    pods,
)

OPERATING = (ROOT / "docs" / "operating.md").read_text()
DATABASE_CLOSES = 5.0
"""Seconds; Database.close."""
NAME = "app.kubernetes.io/name"
COMPONENT = "app.kubernetes.io/component"

EVERY_POD = pytest.mark.parametrize("pod", pods().values(), ids=pods())
SERVING = pytest.mark.parametrize("pod", [executor(), intake()], ids=["executor", "intake"])


def settings(tmp_path: Path, pod: Manifest) -> Settings:
    """The settings a pod comes up with."""
    (config_map,) = of_kind("ConfigMap")
    (found,) = config_map["data"].items()
    config = tmp_path / found[0]
    config.write_text(found[1])
    role = next(each.partition("=")[2] for each in container(pod)["args"] if each.startswith("--role="))
    flags = {"role": role}
    return load_settings(config, flags, {"REMEDIATOR_DATABASE_URL": "postgresql:///remediator"})


def help_of(command: str) -> str:
    called = [sys.executable, "-m", "remediator", command, "--help"]
    return subprocess.run(called, check=True, capture_output=True, text=True, cwd=ROOT).stdout


@pytest.mark.parametrize(
    "path", sorted(DEPLOY.rglob("*.y*ml")), ids=lambda path: path.relative_to(DEPLOY).as_posix()
)
def test_every_file_is_yaml_and_says_something(path: Path) -> None:
    assert all(isinstance(each, dict) and each for each in yaml.safe_load_all(path.read_text()))


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_holds_these_and_nothing_else(name: str) -> None:
    kinds: dict[str, int] = {}
    for each in overlay(name):
        kinds[each["kind"]] = kinds.get(each["kind"], 0) + 1
    assert kinds == {
        "ClusterRole": 1,
        "ClusterRoleBinding": 1,
        "ConfigMap": 1,
        "Deployment": 2,
        "Job": 1,
        "Namespace": 1,
        "NetworkPolicy": 4,
        "Service": 2,
        "ServiceAccount": 3,
        "ValidatingAdmissionPolicy": 2,
        "ValidatingAdmissionPolicyBinding": 2,
        **({"PodDisruptionBudget": 2} if name == "ha" else {}),
    }
    inside = {each["metadata"]["namespace"] for each in overlay(name) if "namespace" in each["metadata"]}
    assert inside == {"remediator"}


@pytest.mark.parametrize(
    "manifest",
    [
        *(each for name in OVERLAYS for each in overlay(name)),
        *(each for level in LEVELS for each in namespace_of(level)),
    ],
    ids=lambda each: f"{each['kind']}-{each['metadata']['name']}",
)
@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_every_manifest_has_the_shape_that_kubernetes_takes(manifest: Manifest, version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def test_a_field_that_kubernetes_does_not_know_is_found() -> None:
    odd = {**find("Deployment", "remediator-intake")}
    odd["spec"] = {**odd["spec"], "replica": 2}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(odd, "1.30", strict=True)


@EVERY_POD
def test_a_container_can_write_nothing_and_become_nobody_else(pod: Manifest) -> None:
    assert container(pod)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "fsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert all(each["readOnly"] for each in container(pod).get("volumeMounts", ()))
    assert {kind for each in pod.get("volumes", ()) for kind in each} <= {"name", "configMap", "secret"}
    assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & set(pod)


def test_the_namespace_refuses_pods_that_are_allowed_more() -> None:
    labels = find("Namespace", "remediator")["metadata"]["labels"]
    ways = ("enforce", "audit", "warn")
    assert {labels[f"pod-security.kubernetes.io/{each}"] for each in ways} == {"restricted"}


@EVERY_POD
def test_the_image_is_this_version_and_of_no_registry(pod: Manifest) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert container(pod)["image"] == f"remediator:{version}"


@EVERY_POD
def test_memory_is_bounded_and_cpu_is_asked_for(pod: Manifest) -> None:
    assert set(container(pod)["resources"]["requests"]) == {"cpu", "memory"}
    assert set(container(pod)["resources"]["limits"]) == {"memory"}


@EVERY_POD
def test_its_arguments_are_a_command_and_flags_of_it(pod: Manifest) -> None:
    command, *flags = container(pod)["args"]
    told = help_of(command)
    assert all(flag.partition("=")[0] in told for flag in flags)


def test_only_the_executor_has_a_token_and_each_pod_has_an_account_of_its_own() -> None:
    asked = {name: pod["automountServiceAccountToken"] for name, pod in pods().items()}
    assert asked == {"executor": True, "intake": False, "migrate": False}
    accounts = {name: pod["serviceAccountName"] for name, pod in pods().items()}
    assert accounts == {name: f"remediator-{name}" for name in pods()}
    for each in of_kind("ServiceAccount"):
        assert each["automountServiceAccountToken"] is False


def test_each_pod_has_the_database_user_of_its_role_and_no_other() -> None:
    for name, pod in pods().items():
        (variable,) = container(pod)["env"]
        assert variable["name"] == "REMEDIATOR_DATABASE_URL"
        assert variable["valueFrom"]["secretKeyRef"] == {"name": "remediator-database", "key": f"{name}-url"}


@EVERY_POD
def test_services_put_nothing_among_our_environment_variables(pod: Manifest) -> None:
    assert pod["enableServiceLinks"] is False


@SERVING
def test_a_pod_is_given_longer_than_the_daemon_takes_to_stop(pod: Manifest) -> None:
    takes = listen._SHUTDOWN_SECONDS + gate._FROM_ALERTMANAGER_SECONDS + app._STOP_SECONDS + DATABASE_CLOSES
    assert pod["terminationGracePeriodSeconds"] >= takes + 10


@SERVING
def test_probes_ask_what_they_are_for(pod: Manifest) -> None:
    probes = {name: each for name, each in container(pod).items() if name.endswith("Probe")}
    assert {name: each["httpGet"]["path"] for name, each in probes.items()} == {
        "startupProbe": "/-/healthy",
        "livenessProbe": "/-/healthy",
        "readinessProbe": "/-/ready",
    }


@pytest.mark.parametrize("name", ["executor", "intake"])
def test_the_settings_load_and_let_nothing_be_changed_at_first(tmp_path: Path, name: str) -> None:
    found = settings(tmp_path, pods()[name])
    assert found.role == name
    assert found.effective_ceiling == "shadow"
    assert found.intake.insecure is False
    assert found.intake.token_file is not None
    assert found.alertmanagers.urls
    assert found.prometheus.url
    assert {role for person in found.people for role in person.roles} == {"view", "approve", "operate"}
    assert protected_by(found, None).why_namespace("remediator") == "remediator"


def test_each_pod_has_the_files_of_its_role_and_those_of_no_other(tmp_path: Path) -> None:
    found = settings(tmp_path, executor())
    alertmanager = [found.intake.token_file]
    people = [*(each.token_file for each in found.people), *found.rules]
    mine = {
        name: [Path(each["mountPath"]) for each in container(pod)["volumeMounts"]]
        for name, pod in pods().items()
        if name != "migrate"
    }

    def mounted(path: Path | None, name: str) -> bool:
        return path is not None and any(path.is_relative_to(mount) for mount in mine[name])

    assert all(mounted(each, "intake") and not mounted(each, "executor") for each in alertmanager)
    assert all(mounted(each, "executor") and not mounted(each, "intake") for each in people)
    for name, pod in (("executor", executor()), ("intake", intake())):
        (flag,) = [each for each in container(pod)["args"] if each.startswith("--config.file=")]
        assert mounted(Path(flag.partition("=")[2]), name)


def test_what_the_pods_need_is_in_the_base_or_made_in_the_guide(tmp_path: Path) -> None:
    (mine,) = of_kind("ConfigMap")
    volumes = [volume for pod in pods().values() for volume in pod.get("volumes", ())]
    maps = {each["configMap"]["name"] for each in volumes if "configMap" in each}
    assert maps - {mine["metadata"]["name"]} == {"remediator-rules", "remediator-database-ca"}
    assert "create configmap remediator-database-ca --from-file=ca.crt" in OPERATING
    assert "sslrootcert=/etc/remediator/database-ca/ca.crt" in OPERATING
    for pod in pods().values():
        assert {each["mountPath"] for each in container(pod)["volumeMounts"]} >= {
            "/etc/remediator/database-ca"
        }
    assert "create configmap remediator-rules --from-file=rules/" in OPERATING
    found = settings(tmp_path, executor())
    assert found.intake.token_file is not None
    keys = {
        "remediator-database": {f"{name}-url" for name in pods()},
        "remediator-alertmanager": {found.intake.token_file.name},
        "remediator-people": {each.token_file.name for each in found.people if each.token_file is not None},
    }
    assert {each["secret"]["secretName"] for each in volumes if "secret" in each} < set(keys)
    for name, expected in keys.items():
        (made,) = re.findall(
            rf"-n remediator create secret generic {name}((?: \\\n.*|.*)+?)\n(?! )", OPERATING
        )
        assert set(re.findall(r"--from-(?:literal|file)=([\w-]+)=", made)) == expected


def test_the_tokens_of_the_guide_end_in_no_newline(tmp_path: Path) -> None:
    """The Prometheus operator hands the Secret on as it is, and Alertmanager sends no header with a newline in it."""
    commands = re.findall(r"^head -c .* > [\w-]+-token$", OPERATING, re.MULTILINE)
    assert {each.rpartition(" ")[2] for each in commands} == {"alertmanager-token", "operator-token"}
    for command in commands:
        subprocess.run(["bash", "-ec", command], check=True, cwd=tmp_path)
        assert re.fullmatch(rb"[\w+/]{43}=", (tmp_path / command.rpartition(" ")[2]).read_bytes())


def selected(selector: Manifest) -> set[str]:
    """Which of the pods a selector is about."""
    found = set()
    for name in pods():
        labels = {NAME: "remediator", COMPONENT: name}
        holds = selector.get("matchLabels", {}).items() <= labels.items()
        for each in selector.get("matchExpressions", ()):
            assert each["operator"] == "In"
            holds = holds and labels[each["key"]] in each["values"]
        if holds:
            found.add(name)
    return found


def test_pods_carry_the_labels_by_which_they_are_selected() -> None:
    for kind, name in (("Deployment", "executor"), ("Deployment", "intake"), ("Job", "migrate")):
        labels = find(kind, f"remediator-{name}")["spec"]["template"]["metadata"]["labels"]
        assert labels == {NAME: "remediator", COMPONENT: name}
        if kind == "Deployment":
            assert find(kind, f"remediator-{name}")["spec"]["selector"] == {"matchLabels": labels}


def test_services_lead_to_the_port_that_is_listened_on(tmp_path: Path) -> None:
    for service, name in (("remediator", "intake"), ("remediator-executor", "executor")):
        (port,) = container(pods()[name])["ports"]
        assert settings(tmp_path, pods()[name]).listen_address == f":{port['containerPort']}"
        spec = find("Service", service)["spec"]
        assert selected({"matchLabels": spec["selector"]}) == {name}
        assert spec["ports"][0]["targetPort"] == port["name"]


def test_what_people_ask_is_answered_inside_the_executors_pod_only(tmp_path: Path) -> None:
    assert settings(tmp_path, executor()).api_listen_address.startswith("127.0.0.1:")
    assert "port-forward deployment/remediator-executor 9096" in OPERATING


def test_nothing_is_let_in_or_out_that_is_not_named() -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in of_kind("NetworkPolicy")}
    nothing = policies.pop("remediator-nothing")
    assert nothing == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    let_in = {
        (
            pod,
            rule["from"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"],
            port["port"],
        )
        for spec in policies.values()
        for rule in spec.get("ingress", ())
        for port in rule["ports"]
        for pod in selected(spec["podSelector"])
    }
    assert let_in == {("intake", "monitoring", 9095), ("executor", "monitoring", 9095)}
    let_out: dict[str, set[int]] = {}
    for spec in policies.values():
        for rule in spec.get("egress", ()):
            for pod in selected(spec["podSelector"]):
                let_out.setdefault(pod, set()).update(port["port"] for port in rule["ports"])
    assert let_out == {
        "intake": {53, 5432},
        "migrate": {53, 5432},
        "executor": {53, 5432, 443, 6443, 9090, 9093},
    }


def test_nobody_may_ask_a_node_for_its_cloud_credentials() -> None:
    blocks = [
        to["ipBlock"]
        for policy in of_kind("NetworkPolicy")
        for rule in policy["spec"].get("egress", ())
        for to in rule["to"]
        if "ipBlock" in to
    ]
    assert {each["cidr"] for each in blocks} == {"0.0.0.0/0", "::/0"}
    assert all({"169.254.0.0/16", "fe80::/10"} & set(each["except"]) for each in blocks)


def test_of_two_replicas_one_always_stays_and_they_are_on_two_nodes() -> None:
    made = overlay("ha")
    for name in ("executor", "intake"):
        spec = find("Deployment", f"remediator-{name}", made)["spec"]
        assert spec["replicas"] == 2
        assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
        (apart,) = spec["template"]["spec"]["affinity"]["podAntiAffinity"][
            "requiredDuringSchedulingIgnoredDuringExecution"
        ]
        assert apart["topologyKey"] == "kubernetes.io/hostname"
        assert selected(apart["labelSelector"]) == {name}
        budget = find("PodDisruptionBudget", f"remediator-{name}", made)["spec"]
        assert budget["maxUnavailable"] == 1
        assert selected(budget["selector"]) == {name}
