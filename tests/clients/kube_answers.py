"""What an API server sends."""

from typing import Any

from aiohttp import web

PATCH: list[dict[str, Any]] = [
    {"op": "test", "path": "/metadata/uid", "value": "45ccff9b"},
    {"op": "replace", "path": "/spec/replicas", "value": 3},
]
DEPLOYMENT = {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "api", "uid": "45ccff9b"}}


def a_status(code: int, reason: str, message: str = "no", **details: Any) -> web.Response:
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code}
    return web.json_response({**body, "reason": reason, "message": message, "details": details}, status=code)


def a_list(items: list[Any], following: str = "") -> web.Response:
    metadata = {"resourceVersion": "7", **({"continue": following} if following else {})}
    return web.json_response({"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": items})
