"""The queries of the dashboard in deploy/grafana."""

import json
from typing import Any

from tests.deploy.manifests import DEPLOY

FILE = DEPLOY / "grafana" / "remediator.json"


def panels() -> list[dict[str, Any]]:
    """In the order of the file, which is that of the eye."""
    return list(json.loads(FILE.read_text())["panels"])


def queries(rate_interval: str = "2m") -> list[str]:
    """Every query as Grafana would send it."""
    return [
        each["expr"].replace("$__rate_interval", rate_interval)
        for panel in panels()
        for each in panel["targets"]
    ]
