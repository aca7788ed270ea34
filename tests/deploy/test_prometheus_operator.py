"""deploy/prometheus-operator: the same rules and the same route as for plain Prometheus and Alertmanager."""

import json
import re
import subprocess
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from remediator.doctor.alertmanagers import _reaches
from remediator.doctor.routing import read_routing
from remediator.settings.load import load_settings
from remediator.settings.protected import protected_by
from tests.deploy.manifests import DEPLOY, KUBECTL, ROOT, Manifest, file, find
from tests.deploy.prometheus_rules import AS_OBJECTS, as_object
from tests.deploy.test_alertmanager import WHOLE, amtool, receiver, route

DIRECTORY = DEPLOY / "prometheus-operator"
GUIDE = (
    (ROOT / "docs" / "operating.md")
    .read_text()
    .partition("\n## With kube-prometheus or without\n")[2]
    .partition("\n## ")[0]
)
KUBE_PROMETHEUS: dict[str, Any] = {
    "route": {"receiver": "Default", "group_by": ["namespace"], "routes": [{"receiver": "Default"}]},
    "receivers": [
        {"name": "Default", "slack_configs": [{"channel": "#ops", "api_url": "http://chat.example/"}]}
    ],
}
"""As in the Secret beside, with a last route that takes everything."""


def generated(strategy: str, beside: dict[str, Any] = KUBE_PROMETHEUS) -> dict[str, Any]:
    """What the operator makes of our AlertmanagerConfig, in Alertmanager's own namespace.

    After pkg/alertmanager/amcfg.go of prometheus-operator 0.93: names get the object's before them, the route gets
    `continue`, and under OnNamespace a matcher of the object's namespace; it stands before the routes of the Secret.
    """
    (config,) = file("prometheus-operator/alertmanager-config.yaml")
    spec, within = config["spec"], config["metadata"]["namespace"]
    before = f"{within}/{config['metadata']['name']}/"
    matchers = [f'{each["name"]}{each["matchType"]}"{each["value"]}"' for each in spec["route"]["matchers"]]
    matchers += [f'namespace="{within}"'] if strategy == "OnNamespace" else []
    (given,) = spec["receivers"]
    (webhook,) = given["webhookConfigs"]
    ours = {
        "receiver": before + spec["route"]["receiver"],
        "matchers": matchers,
        "continue": True,
        **{snake: spec["route"][camel] for snake, camel in SAME.items()},
    }
    made = {
        "url": webhook["url"],
        "send_resolved": webhook["sendResolved"],
        "max_alerts": webhook["maxAlerts"],
        "http_config": {
            "authorization": {"credentials": "the token"},
            "follow_redirects": webhook["httpConfig"]["followRedirects"],
        },
    }
    return {
        "route": {**beside["route"], "routes": [ours, *beside["route"]["routes"]]},
        "receivers": [*beside["receivers"], {"name": before + given["name"], "webhook_configs": [made]}],
    }


SAME = {
    "group_by": "groupBy",
    "group_wait": "groupWait",
    "group_interval": "groupInterval",
    "repeat_interval": "repeatInterval",
}


class Loader(yaml.SafeLoader):
    """For what kustomize writes: a bare `=` is a text to everybody but PyYAML."""


Loader.yaml_implicit_resolvers = {
    first: [each for each in resolvers if each[0] != "tag:yaml.org,2002:value"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@cache
def rendered(directory: Path = DIRECTORY) -> list[Manifest]:
    done = subprocess.run([KUBECTL, "kustomize", directory], check=True, capture_output=True, text=True)
    return list(yaml.load_all(done.stdout, Loader))


@pytest.mark.parametrize("name", AS_OBJECTS)
def test_a_prometheus_rule_holds_what_the_rule_file_does(name: str) -> None:
    written = (DIRECTORY / f"{name}.yaml").read_text()
    assert written == as_object(name), "run `python -m tests.deploy.prometheus_rules`"
    (plain,) = file(f"prometheus/{name}.yml")
    assert yaml.safe_load(written)["spec"]["groups"] == plain["groups"]


def test_what_is_applied_at_once_has_no_name_twice() -> None:
    names = [(each["kind"], each["metadata"]["namespace"], each["metadata"]["name"]) for each in rendered()]
    assert len(names) == len(set(names))
    assert {kind for kind, _, _ in names} == {
        "AlertmanagerConfig",
        "PrometheusRule",
        "Role",
        "RoleBinding",
        "ServiceMonitor",
    }


POD_LABELS = {
    9093: {"name": "alertmanager", "component": "alert-router", "instance": "main"},
    9090: {"name": "prometheus", "component": "prometheus", "instance": "k8s"},
}
"""Of kube-prometheus' pods, by port; each also has part-of: kube-prometheus. Its policies select by these."""


@pytest.mark.parametrize("port", POD_LABELS)
def test_beside_the_policies_of_kube_prometheus_the_executor_is_let_in(port: int) -> None:
    labels = {
        f"app.kubernetes.io/{key}": text
        for key, text in {**POD_LABELS[port], "part-of": "kube-prometheus"}.items()
    }
    (policy,) = [
        each
        for each in file("prometheus-operator/let-the-executor-in.yaml")
        if each["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    ]
    (config,) = file("prometheus-operator/alertmanager-config.yaml")
    assert policy["metadata"]["namespace"] == config["metadata"]["namespace"]
    assert policy["spec"]["policyTypes"] == ["Ingress"]
    (rule,) = policy["spec"]["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": port}]
    (allowed,) = rule["from"]
    executor = find("Deployment", "remediator-executor")
    namespace = {"kubernetes.io/metadata.name": executor["metadata"]["namespace"]}
    assert allowed["namespaceSelector"] == {"matchLabels": namespace}
    assert allowed["podSelector"]["matchLabels"] == executor["spec"]["template"]["metadata"]["labels"]


def test_nobody_is_shut_out_where_kube_prometheus_has_no_policies() -> None:
    """A pod that one policy selects is closed to all whom none lets in, so that ours is applied apart."""
    assert "NetworkPolicy" not in {each["kind"] for each in rendered()}
    assert "kubectl apply -f deploy/prometheus-operator/let-the-executor-in.yaml" in GUIDE


def test_the_selector_of_other_teams_configurations_is_not_narrowed() -> None:
    """The chart's takes all; a merge patch would add our label to it."""
    first, second = (
        json.loads(each)
        for each in re.findall(r"patch alertmanager main --type=merge -p '(.+?)'", GUIDE, re.DOTALL)
    )
    assert set(first["spec"]) == {"alertmanagerConfigMatcherStrategy"}
    assert set(second["spec"]) == {"alertmanagerConfigSelector"}
    told = GUIDE.index("Only if nothing\n  is shown")
    assert told < GUIDE.index('"alertmanagerConfigSelector"')
    (config,) = file("prometheus-operator/alertmanager-config.yaml")
    chosen = second["spec"]["alertmanagerConfigSelector"]["matchLabels"]
    assert chosen.items() <= config["metadata"]["labels"].items()


def test_the_addresses_of_kube_prometheus_are_its_peers_and_settings(tmp_path: Path) -> None:
    (written,) = re.findall(r"^  ```yaml\n(.*?)^  ```$", GUIDE, re.DOTALL | re.MULTILINE)
    (tmp_path / "remediator.yml").write_text(f"cluster: {{name: mine}}\n{dedent(written)}")
    found = load_settings(
        tmp_path / "remediator.yml", {"role": "executor"}, {"REMEDIATOR_DATABASE_URL": "postgresql:///x"}
    )
    assert [urlsplit(str(each)).hostname for each in found.alertmanagers.urls] == [
        f"alertmanager-main-{number}.alertmanager-operated.monitoring.svc" for number in range(3)
    ]
    assert urlsplit(str(found.prometheus.url)).hostname == "prometheus-k8s.monitoring.svc"
    assert protected_by(found, None).why_namespace("monitoring")


def test_the_service_monitor_selects_every_service_of_ours_by_the_port_it_has() -> None:
    (monitor,) = [each for each in rendered() if each["kind"] == "ServiceMonitor"]
    (endpoint,) = monitor["spec"]["endpoints"]
    services = [each for each in rendered(DEPLOY / "base") if each["kind"] == "Service"]
    assert services
    for service in services:
        assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        assert monitor["spec"]["namespaceSelector"]["matchNames"] == [service["metadata"]["namespace"]]
        assert endpoint["port"] in {each["name"] for each in service["spec"]["ports"]}


def test_the_plain_configuration_scrapes_the_same_pods() -> None:
    (plain,) = file("prometheus/prometheus.yml")
    (job,) = plain["scrape_configs"]
    (monitor,) = [each for each in rendered() if each["kind"] == "ServiceMonitor"]
    (port,) = [each["port"] for each in monitor["spec"]["endpoints"]]
    (name,) = monitor["spec"]["selector"]["matchLabels"].values()
    assert job["relabel_configs"][0]["regex"] == f"{name};{port}"
    (pods,) = job["kubernetes_sd_configs"]
    assert pods["namespaces"]["names"] == monitor["spec"]["namespaceSelector"]["matchNames"]


def test_receiver_and_route_are_those_of_the_plain_way() -> None:
    made = generated("None")
    (ours,) = made["receivers"][1]["webhook_configs"]
    (plain,) = receiver(WHOLE)["webhook_configs"]
    assert {**ours, "http_config": None} == {**plain, "http_config": None}
    assert ours["http_config"]["follow_redirects"] == plain["http_config"]["follow_redirects"]
    first = made["route"]["routes"][0]
    assert {key: first[key] for key in SAME} == {key: route(WHOLE)[key] for key in SAME}
    assert set(route(WHOLE)["matchers"]) < set(first["matchers"])


def told(config: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each.level, each.saw) for each in _reaches(read_routing(yaml.safe_dump(config)), insecure=False)]


def test_doctor_finds_the_matcher_that_the_operator_adds() -> None:
    (leads,) = told(generated("OnNamespaceExceptForAlertmanagerNamespace"))
    assert leads[0] == "ok"
    (leads, keeps) = told(generated("OnNamespace"))
    assert leads[0] == "ok"
    assert keeps[0] == "warning"
    assert 'only alerts with namespace="monitoring" come to us, and none without a namespace' in keeps[1]


def test_doctor_finds_that_people_hear_of_nothing_that_came_to_us() -> None:
    """As in kube-prometheus, whose Secret has no route that takes everything."""
    critical = {"receiver": "Critical", "matchers": ['severity="critical"']}
    beside = {
        "route": {"receiver": "Default", "routes": [critical]},
        "receivers": [
            *KUBE_PROMETHEUS["receivers"],
            {"name": "Critical", "slack_configs": [{"channel": "#x"}]},
        ],
    }
    (leads, lonely) = told(generated("None", beside))
    assert leads[0] == "ok"
    assert lonely[0] == "warning"
    assert "may reach nobody else" in lonely[1]


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("strategy", "labels", "receivers"),
    [
        ("None", ("remediate=true",), "monitoring/remediator/remediator,Default"),
        ("None", ("remediate=true", "namespace=shop"), "monitoring/remediator/remediator,Default"),
        ("None", ("remediate=true", "alertname=RemediatorDown"), "Default"),
        ("OnNamespace", ("remediate=true",), "Default"),
        ("OnNamespace", ("remediate=true", "namespace=shop"), "Default"),
    ],
)
def test_who_gets_what_under_each_strategy(
    tmp_path: Path, strategy: str, labels: tuple[str, ...], receivers: str
) -> None:
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(generated(strategy)))
    done = amtool("config", "routes", "test", f"--config.file={tmp_path / 'alertmanager.yml'}", *labels)
    assert done.stdout.strip() == receivers, done.stderr
