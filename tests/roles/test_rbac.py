"""`remediator rbac` prints exactly the rights that the rules need, as Kubernetes takes them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from remediator.cli.main import main
from remediator.domain.rights import EVERYWHERE, IN_A_NAMESPACE, Right
from tests.support.story import RESTART, ROLLBACK

WHOLE_TABLE = ROLLBACK.replace("[pods,", "[pods, endpoints, usage,")
LOOKS = "rules: [{rule: looks, match: ['{alertname=\"Slow\"}'], diagnostics: [pods]}]"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REMEDIATOR_CONFIG_FILE", "REMEDIATOR_RULES"):
        monkeypatch.delenv(name, raising=False)


def printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rules: str, *arguments: str, config: str = ""
) -> dict[tuple[str, str, str | None], Mapping[str, Any]]:
    """What it prints, by kind, name and namespace."""
    (tmp_path / "rules.yaml").write_text(rules)
    (tmp_path / "remediator.yml").write_text(config)
    command = [
        "rbac",
        "--config.file",
        str(tmp_path / "remediator.yml"),
        "--rules",
        str(tmp_path / "rules.yaml"),
    ]
    assert main([*command, *arguments]) == 0
    documents = list(yaml.safe_load_all(capsys.readouterr().out))
    return {
        (each["kind"], each["metadata"]["name"], each["metadata"].get("namespace")): each
        for each in documents
    }


def rights(role: Mapping[str, Any]) -> list[Right]:
    return [
        Right(verb, group, resource)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]


def test_what_is_printed_is_what_the_whole_table_declares(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = printed(tmp_path, capsys, WHOLE_TABLE, "--namespace", "shop", "--namespace", "other")
    everywhere = rights(found["ClusterRole", "remediator", None])
    assert sorted(everywhere) == sorted(each.right for each in EVERYWHERE if each.setting is None)
    for namespace in ("shop", "other"):
        for to in ("look", "act"):
            granted = rights(found["Role", f"remediator-{to}", namespace])
            assert sorted(granted) == sorted(each.right for each in IN_A_NAMESPACE if each.to == to)
            binding = found["RoleBinding", f"remediator-{to}", namespace]
            assert binding["roleRef"]["name"] == f"remediator-{to}"
            assert binding["subjects"] == [
                {"kind": "ServiceAccount", "name": "remediator-executor", "namespace": "remediator"}
            ]
    assert len(found) == 10


def test_rules_that_only_look_need_no_right_to_act(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = printed(tmp_path, capsys, LOOKS, "--namespace", "shop")
    assert ("Role", "remediator-act", "shop") not in found
    verbs = {right.verb for right in rights(found["Role", "remediator-look", "shop"])}
    assert verbs == {"get", "list", "watch"}
    assert Right("get", "", "pods/log") not in rights(found["Role", "remediator-look", "shop"])


@pytest.mark.parametrize("config", ["ceiling: shadow", "intake: {insecure: true}"])
def test_under_a_ceiling_that_changes_nothing_no_right_to_act_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], config: str
) -> None:
    found = printed(tmp_path, capsys, ROLLBACK, "--namespace", "shop", config=config)
    assert ("Role", "remediator-act", "shop") not in found


def test_a_rule_that_is_off_needs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(tmp_path, capsys, ROLLBACK.replace("mode: act", 'mode: "off"'), "--namespace", "shop")
    assert ("Role", "remediator-act", "shop") not in found


def test_a_restart_needs_no_eviction(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(tmp_path, capsys, RESTART, "--namespace", "shop")
    acting = rights(found["Role", "remediator-act", "shop"])
    assert Right("patch", "apps", "deployments") in acting
    assert Right("create", "", "pods/eviction") not in acting


def test_namespaces_and_account_can_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = "kubernetes: {namespaces: [shop]}\nkubernetes_people: {}"
    found = printed(tmp_path, capsys, LOOKS, "--service-account", "ops/bot", config=config)
    assert found["RoleBinding", "remediator-look", "shop"]["subjects"] == [
        {"kind": "ServiceAccount", "name": "bot", "namespace": "ops"}
    ]
    everywhere = rights(found["ClusterRole", "remediator", None])
    assert Right("list", "", "namespaces") not in everywhere, "those that are named need not be listed"
    assert Right("create", "authentication.k8s.io", "tokenreviews") in everywhere


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "name the namespaces"),
        (["--namespace", "shop", "--service-account", "bot"], "NAMESPACE/NAME"),
        (["--namespace", "shop", "--rules", "/nowhere"], "/nowhere"),
    ],
)
def test_what_is_missing_is_said(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rules.yaml").write_text(LOOKS)
    assert main(["rbac", "--rules", str(tmp_path / "rules.yaml"), *arguments]) == 1
    assert sentence in capsys.readouterr().err
