"""deploy/components: what is added to an overlay by a line, and what it changes there."""

import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.deploy.manifests import DEPLOY, KUBECTL, OVERLAYS, Manifest, container, find, overlay
from tests.deploy.test_prometheus_operator import Loader

TLS = "/etc/remediator/tls/"


def with_component(tmp_path: Path, resource: str, component: str) -> tuple[Manifest, ...]:
    """What is applied by a kustomization of one's own that names both."""
    (tmp_path / "deploy").symlink_to(DEPLOY)
    written = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [f"deploy/{resource}"],
        "components": [f"deploy/components/{component}"],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(written))
    done = subprocess.run([KUBECTL, "kustomize", tmp_path], check=True, capture_output=True, text=True)
    return tuple(yaml.load_all(done.stdout, Loader))


@pytest.mark.parametrize("name", OVERLAYS)
def test_with_tls_both_ports_and_all_probes_speak_it(tmp_path: Path, name: str) -> None:
    made = with_component(tmp_path, f"overlays/{name}", "tls")
    for role in ("executor", "intake"):
        deployment = find("Deployment", f"remediator-{role}", made)
        kubernetes_validate.validate(deployment, "1.30", strict=True)
        pod, was = (
            each["spec"]["template"]["spec"]
            for each in (deployment, find("Deployment", f"remediator-{role}", overlay(name)))
        )
        assert container(pod)["args"] == [
            *container(was)["args"],
            f"--web.config.file={TLS}web-config.yml",
        ]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            before = container(was)[probe]
            assert container(pod)[probe] == {**before, "httpGet": {**before["httpGet"], "scheme": "HTTPS"}}
        (mount,) = [each for each in container(pod)["volumeMounts"] if each["name"] == "tls"]
        assert mount == {"name": "tls", "mountPath": TLS.rstrip("/"), "readOnly": True}
        (volume,) = [each for each in pod["volumes"] if each["name"] == "tls"]
        assert volume["secret"] == {"secretName": "remediator-tls", "defaultMode": 0o440}
        assert len(pod["volumes"]) == len(was["volumes"]) + 1


def test_with_tls_prometheus_and_alertmanager_speak_it_too(tmp_path: Path) -> None:
    made = with_component(tmp_path, "prometheus-operator", "tls-monitoring")
    service = find("Service", "remediator")["metadata"]
    host = f"{service['name']}.{service['namespace']}.svc"
    authority = {"configMap": {"name": "remediator-ca", "key": "ca.crt"}}
    (endpoint,) = find("ServiceMonitor", "remediator", made)["spec"]["endpoints"]
    assert endpoint["scheme"] == "https"
    assert endpoint["tlsConfig"] == {"serverName": host, "ca": authority}
    (receiver,) = find("AlertmanagerConfig", "remediator", made)["spec"]["receivers"]
    (webhook,) = receiver["webhookConfigs"]
    assert webhook["url"] == f"https://{host}:9095/api/v1/alertmanager"
    assert webhook["httpConfig"]["tlsConfig"] == {"ca": authority}
    assert webhook["httpConfig"]["authorization"]


def test_on_openshift_names_are_asked_where_its_dns_is(tmp_path: Path) -> None:
    made = with_component(tmp_path, "overlays/observe", "openshift-names")
    policy = find("NetworkPolicy", "remediator-openshift-names", made)
    kubernetes_validate.validate(policy, "1.30", strict=True)
    (rule,) = policy["spec"]["egress"]
    assert {each["port"] for each in rule["ports"]} == {5353}
    everywhere = find("NetworkPolicy", "remediator-names-and-database")["spec"]
    assert policy["spec"]["podSelector"] == everywhere["podSelector"]


def test_with_cilium_the_executor_and_nobody_else_reaches_the_api_server(tmp_path: Path) -> None:
    made = with_component(tmp_path, "overlays/observe", "cilium")
    policy = find("CiliumNetworkPolicy", "remediator-api-server", made)
    executor = find("Deployment", "remediator-executor")
    assert policy["metadata"]["namespace"] == executor["metadata"]["namespace"]
    assert policy["spec"]["endpointSelector"] == executor["spec"]["selector"]
    assert policy["spec"]["egress"] == [{"toEntities": ["kube-apiserver"]}]


def test_the_database_is_reached_inside_of_the_cluster_and_outside() -> None:
    """Where an address stands only for what is outside (Cilium), a namespace has to be named as well."""
    rules = find("NetworkPolicy", "remediator-names-and-database")["spec"]["egress"]
    (database,) = [each for each in rules if each["ports"] == [{"protocol": "TCP", "port": 5432}]]
    assert {"namespaceSelector": {}} in database["to"]
    assert any("ipBlock" in each for each in database["to"])
