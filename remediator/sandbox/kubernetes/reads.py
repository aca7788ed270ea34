"""Get and list: selectors, pages, and lists as of an older version."""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass

from remediator.sandbox.kubernetes.request import Call, Route, integer
from remediator.sandbox.kubernetes.resources import Resource
from remediator.sandbox.kubernetes.selectors import parse_field_selector, parse_label_selector
from remediator.sandbox.kubernetes.status import ApiError, Cause, Json, bad_request, invalid
from remediator.sandbox.kubernetes.store import Store

_EXPIRED_PAGE = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list "
    "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
    "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
    "modified, or deleted between the time the first chunk was returned and now may show up in the list."
)


@dataclass(frozen=True)
class Page:
    """What a list answers with: the objects, the version of the list, and how to get the rest."""

    items: list[Json]
    version: int
    token: str = ""
    remaining: int | None = None


def selection(call: Call, resource: Resource) -> Callable[[Json], bool]:
    """What the request's selectors let through.

    Raises:
        ApiError: 400, malformed.
    """
    labels = parse_label_selector(call.query.get("labelSelector", ""))
    fields = parse_field_selector(call.query.get("fieldSelector", ""), resource.selectable)
    return lambda obj: labels(obj["metadata"].get("labels") or {}) and fields(obj)


def list_objects(store: Store, call: Call, route: Route, resource: Resource) -> Page:
    """The page the request asks for.

    Raises:
        ApiError: 400, 410, 422 or 504, as the version, token or selectors deserve.
    """
    chosen = selection(call, resource)
    limit = integer(call, "limit") or 0
    token = call.query.get("continue", "")
    namespace = route.namespace if resource.namespaced else ""
    version, start = _starting_point(store, call, token)
    if version == store.version:
        found = store.objects(resource.group, resource.plural, namespace)
    else:
        found = store.at(version, resource.group, resource.plural, namespace)
    items = [obj for obj in found if chosen(obj) and _position(obj) > start]
    if limit <= 0 or len(items) <= limit:
        return Page(items, version)
    page = items[:limit]
    selects = bool(call.query.get("labelSelector") or call.query.get("fieldSelector"))
    rest = None if selects else len(items) - limit
    return Page(page, version, _token(version, _position(page[-1])), rest)


def _position(obj: Json) -> str:
    metadata = obj["metadata"]
    return f"{metadata.get('namespace', '')}/{metadata['name']}"


def _token(version: int, start: str) -> str:
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": start})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _starting_point(store: Store, call: Call, token: str) -> tuple[int, str]:
    wanted, match = call.query.get("resourceVersion", ""), call.query.get("resourceVersionMatch", "")
    if token:
        if wanted and wanted != "0":
            raise bad_request("specifying resource version is not allowed when using continue")
        return _continued(store, token)
    if call.query.get("sendInitialEvents"):
        raise _refused_options(match, wanted)
    if match and not wanted:
        why = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        raise list_options_error([Cause("FieldValueForbidden", why, "resourceVersionMatch")])
    if not wanted or wanted == "0":
        return store.version, ""
    return _version_asked_for(store, wanted, exactly=match == "Exact"), ""


def _version_asked_for(store: Store, wanted: str, *, exactly: bool) -> int:
    if not wanted.isdigit():
        raise bad_request(f"invalid resource version: {version_error(wanted)}")
    version = int(wanted)
    if version > store.version:
        raise _too_large(version, store.version)
    if not exactly:
        return store.version
    if version < store.oldest_list:
        raise ApiError(410, "The resourceVersion for the provided list is too old.", "Expired")
    return version


def _refused_options(match: str, wanted: str) -> ApiError:
    causes = []
    if match and not wanted:
        why = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        causes.append(Cause("FieldValueForbidden", why, "resourceVersionMatch"))
    why = "Forbidden: sendInitialEvents is forbidden for list"
    causes.append(Cause("FieldValueForbidden", why, "sendInitialEvents"))
    return list_options_error(causes)


def list_options_error(causes: list[Cause]) -> ApiError:
    """422 about the options of a list or watch."""
    return invalid("meta.k8s.io", "ListOptions", "", causes)


def version_error(text: str) -> str:
    """What is said of a resourceVersion that is no number."""
    return f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'


def _too_large(version: int, current: int) -> ApiError:
    message = f"Timeout: Too large resource version: {version}, current: {current}"
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    details = {"causes": causes, "retryAfterSeconds": 1}
    return ApiError(504, message, "Timeout", details, {"Retry-After": "1"})


def _continued(store: Store, token: str) -> tuple[int, str]:
    text = b""
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        read = json.loads(text)
        version, start = int(read["rv"]), str(read["start"])
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        letter = json.dumps(text[:1].decode("latin-1")).strip('"')
        why = f"invalid character '{letter}' looking for beginning of value"
        raise bad_request(f"invalid continue token: continue key is not valid: {why}") from error
    if version == -1:
        return store.version, start
    if version < store.oldest_list:
        expired = ApiError(410, _EXPIRED_PAGE, "Expired")
        expired.metadata = {"continue": _token(-1, start)}
        raise expired
    return version, start


def list_body(resource: Resource, page: Page) -> Json:
    """A page as the list object of its kind; items in it do not repeat kind and apiVersion."""
    metadata: Json = {"resourceVersion": str(page.version)}
    if page.token:
        metadata["continue"] = page.token
    if page.remaining is not None:
        metadata["remainingItemCount"] = page.remaining
    items = [
        {name: value for name, value in obj.items() if name not in ("kind", "apiVersion")}
        for obj in page.items
    ]
    return {
        "kind": f"{resource.kind}List",
        "apiVersion": resource.api_version,
        "metadata": metadata,
        "items": items,
    }
