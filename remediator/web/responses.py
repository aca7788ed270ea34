"""What the API answers with: JSON, and for every error a sentence and what to do next."""

import json
from collections.abc import Mapping
from math import ceil
from typing import Any

from aiohttp import web

from remediator.redaction.document import redact_json

_JSON = "application/json"

_HINTS = {
    404: "GET /api/v1/runs and /api/v1/incidents list what there is.",
    405: "The Allow header of this answer names the methods that work.",
    413: "Send less at once; for Alertmanager, set max_alerts in webhook_config.",
    417: "Leave out the Expect header.",
}


def document(content: Any, status: int = 200) -> web.Response:
    """Any JSON document, without the secrets that may stand in what is kept whole, as changes are."""
    return web.Response(text=json.dumps(redact_json(content)), status=status, content_type=_JSON)


def problem(
    status: int, sentence: str, hint: str | None = None, headers: Mapping[str, str] | None = None
) -> web.Response:
    """An error: what is wrong, and what to do next."""
    content = {"error": sentence, "hint": hint or _HINTS.get(status, "The daemon's log may say more.")}
    text = json.dumps(redact_json(content))
    return web.Response(text=text, status=status, content_type=_JSON, headers=headers)


def try_again(sentence: str, after_seconds: float | None) -> web.Response:
    """503: the same request may succeed after a while."""
    seconds = str(ceil(after_seconds or 5.0))
    return problem(503, sentence, f"Send the same again after {seconds} s.", {"Retry-After": seconds})
