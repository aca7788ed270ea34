"""What Alertmanager shows of its configuration: all of it, defaults filled in, secrets hidden.

After config/config.go and config/notifiers.go of prometheus/alertmanager, and what a real 0.25.0 answered.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

Config = Mapping[str, Any]

_SECRET = "<secret>"
_HTTP = {"follow_redirects": True, "enable_http2": True}
_ADDRESS_IS_SECRET = (0, 26)
_HAS_TIMEOUT = (0, 28)


def routing_everything_to(receivers: Sequence[str], url: str) -> dict[str, Any]:
    """A configuration like deploy/alertmanager's: every receiver gets all but those about itself, people all."""
    webhook = {
        "url": url,
        "max_alerts": 0,
        "http_config": {"authorization": {"credentials_file": "/etc/alertmanager/token"}},
    }
    group_by = ["alertname", "namespace", "deployment"]
    return {
        "route": {
            "receiver": "people",
            "routes": [
                {"receiver": "people", "matchers": ['alertname=~"Remediator.+"']},
                *({"receiver": name, "continue": True, "group_by": group_by} for name in receivers),
                {"receiver": "people"},
            ],
        },
        "receivers": [
            {"name": "people", "slack_configs": [{"channel": "#people"}]},
            *({"name": name, "webhook_configs": [webhook]} for name in receivers),
        ],
    }


def original(config: Config, version: str) -> str:
    """`config.original` of /api/v2/status for what stands in alertmanager.yml."""
    since = tuple(int(part) for part in version.split(".")[:2])
    http = {**_HTTP, **((config.get("global") or {}).get("http_config") or {})}
    shown: dict[str, Any] = {
        "global": {**(config.get("global") or {}), "resolve_timeout": "5m", "http_config": http},
        "route": _route(config["route"]),
        "receivers": [_receiver(each, http, since) for each in config["receivers"]],
        "templates": [],
    }
    return yaml.safe_dump(shown, sort_keys=False)


def _route(route: Config) -> dict[str, Any]:
    shown = {**route, "continue": bool(route.get("continue"))}
    if "routes" in route:
        shown["routes"] = [_route(each) for each in route["routes"]]
    return shown


def _receiver(receiver: Config, http: Config, since: tuple[int, ...]) -> dict[str, Any]:
    shown: dict[str, Any] = dict(receiver)
    if "webhook_configs" in receiver:
        shown["webhook_configs"] = [_webhook(each, http, since) for each in receiver["webhook_configs"]]
    return shown


def _webhook(webhook: Config, http: Config, since: tuple[int, ...]) -> dict[str, Any]:
    own = webhook.get("http_config")
    shown_http = dict(http) if own is None else {**_HTTP, **own}
    if "authorization" in shown_http:
        shown_http["authorization"] = {"type": "Bearer", **shown_http["authorization"]}
    for kind, secret in (("authorization", "credentials"), ("basic_auth", "password")):
        if secret in shown_http.get(kind, {}):
            shown_http[kind] = {**shown_http[kind], secret: _SECRET}
    return {
        "send_resolved": webhook.get("send_resolved", True),
        "http_config": shown_http,
        "url": _SECRET if since >= _ADDRESS_IS_SECRET else webhook["url"],
        "max_alerts": webhook.get("max_alerts", 0),
        **({"timeout": webhook.get("timeout", "0s")} if since >= _HAS_TIMEOUT else {}),
    }
