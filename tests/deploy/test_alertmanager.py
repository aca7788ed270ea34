"""deploy/alertmanager: what is pasted is what the whole file holds, and people are paged as ever."""

import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from remediator.web.server import _INTAKE_PATHS
from tests.deploy.manifests import DEPLOY, file, find

WHOLE = "alertmanager/alertmanager.yml"
NEWER = "# timeout: 10s "
"""A line that only Alertmanager 0.28 and newer understand."""


def receiver(path: str) -> dict[str, Any]:
    (document,) = file(path)
    (found,) = [each for each in document["receivers"] if each["name"] == "remediator"]
    return dict(found)


def route(path: str) -> dict[str, Any]:
    (document,) = file(path)
    (found,) = [each for each in document["route"]["routes"] if each["receiver"] == "remediator"]
    return dict(found)


def test_what_is_to_be_pasted_stands_in_the_whole_file() -> None:
    assert receiver("alertmanager/receiver.yml") == receiver(WHOLE)
    assert route("alertmanager/receiver.yml") == route(WHOLE)


def test_the_receiver_hears_of_everything_and_shows_its_token_to_nobody_else() -> None:
    (webhook,) = receiver(WHOLE)["webhook_configs"]
    assert webhook["send_resolved"] is True
    assert webhook["max_alerts"] == 0
    assert webhook["http_config"] == {
        "authorization": {"credentials_file": "/etc/alertmanager/secrets/remediator/token"},
        "follow_redirects": False,
    }


def test_the_address_is_the_services() -> None:
    (webhook,) = receiver(WHOLE)["webhook_configs"]
    service = find("Service", "remediator")
    address = urlsplit(webhook["url"])
    assert address.hostname == f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc"
    assert address.port == service["spec"]["ports"][0]["port"]
    assert address.path in _INTAKE_PATHS


def test_other_routes_get_the_alert_too_and_the_labels_of_the_target_are_kept() -> None:
    assert route(WHOLE)["continue"] is True
    assert route(WHOLE)["group_by"] == ["alertname", "namespace", "deployment"]
    assert route(WHOLE)["matchers"] == ['remediate="true"']


@pytest.mark.parametrize("path", ["alertmanager/receiver.yml", WHOLE])
def test_what_only_a_newer_alertmanager_understands_is_there_as_a_remark(path: str) -> None:
    assert NEWER in (DEPLOY / path).read_text()
    assert "timeout" not in receiver(path)["webhook_configs"][0]


def amtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["amtool", *arguments], check=False, capture_output=True, text=True)


@pytest.mark.e2e
def test_amtool_takes_the_whole_file() -> None:
    done = amtool("check-config", DEPLOY / WHOLE)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        (("remediate=true",), "remediator,people"),
        (("remediate=false",), "people"),
        # About remediator itself: whatever else it says.
        (("alertname=RemediatorDown", "remediate=true"), "people"),
    ],
)
def test_people_get_every_alert_and_remediator_those_it_is_meant_for(
    labels: tuple[str, ...], receivers: str
) -> None:
    done = amtool("config", "routes", "test", f"--config.file={DEPLOY / WHOLE}", *labels, "severity=critical")
    assert done.stdout.strip() == receivers
