"""Bodies into objects: media types, kinds that do not belong, fields the schema does not know."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from remediator.sandbox.kubernetes.json_patch import PatchFailed, apply_json_patch, apply_merge_patch
from remediator.sandbox.kubernetes.request import Call, Parsed, parse_json
from remediator.sandbox.kubernetes.resources import BY_KIND, Resource
from remediator.sandbox.kubernetes.schema import UnknownField, WrongType, problems
from remediator.sandbox.kubernetes.status import (
    ApiError,
    Cause,
    Json,
    bad_request,
    invalid,
    not_emulated,
    unpatchable,
    unsupported_media_type,
)
from remediator.sandbox.kubernetes.strategic_merge import apply_strategic_merge, go_map

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE = "application/strategic-merge-patch+json"
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=]")
APPLY = ("application/apply-patch+yaml", "application/apply-patch+cbor")


@dataclass
class Strictness:
    """`fieldValidation`: what becomes of fields nobody knows. Warnings collect here."""

    mode: str
    warnings: list[str] = field(default_factory=list)

    def judge(self, found: list[str]) -> str:
        """Warn about `found`; in mode Strict, return the words of the refusal instead."""
        if found and self.mode == "Strict":
            return f"strict decoding error: {', '.join(found)}"
        if self.mode != "Ignore":
            self.warnings += found
        return ""


def strictness_of(call: Call) -> Strictness:
    """The request's fieldValidation; Warn if it says nothing."""
    return Strictness(call.query.get("fieldValidation") or "Warn")


def decode_object(call: Call, resource: Resource, strictness: Strictness) -> Json:
    """The object in the body of a POST or PUT.

    Raises:
        ApiError: 415 or 400; 501 for YAML.
    """
    parsed = _read(call, resource)
    obj = parsed.value
    if not isinstance(obj, dict):
        raise _undecodable(
            resource, resource.kind, f"json: cannot unmarshal {type(obj).__name__} into Go value"
        )
    _check_kind(resource, obj)
    strict = [f'duplicate field "{name}"' for name in parsed.duplicates]
    for problem in problems(obj, resource.schema):
        if isinstance(problem, WrongType):
            raise _undecodable(resource, resource.kind, _unmarshal(problem))
        strict.append(f'unknown field "{problem.path}"')
    refusal = strictness.judge(strict) or _undecodable_data(resource, obj)
    if refusal:
        raise _undecodable(resource, resource.kind, refusal)
    return obj


def _undecodable_data(resource: Resource, obj: Json) -> str:
    if resource.kind == "Secret":
        for value in (obj.get("data") or {}).values():
            found = _NOT_BASE64.search(value)
            if found:
                return f"illegal base64 data at input byte {found.start()}"
    return ""


def _read(call: Call, resource: Resource) -> Parsed:
    if call.media_type in ("application/yaml", "application/vnd.kubernetes.protobuf"):
        raise not_emulated(f"bodies in {call.media_type}")
    if call.media_type not in ("", "application/json"):
        accepted = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
        message = (
            f"the body of the request was in an unknown format - accepted media types include: {accepted}"
        )
        raise ApiError(415, message, "UnsupportedMediaType")
    try:
        return parse_json(call.body)
    except json.JSONDecodeError as error:
        shown = call.body.decode("utf-8", errors="replace") or "<empty>"
        why = _go_syntax_error(shown if call.body else "", error)
        raise bad_request(
            f"the object provided is unrecognized (must be of type {resource.kind}): couldn't get version/kind; "
            f"json parse error: {why} ({shown})"
        ) from error


def _check_kind(resource: Resource, obj: Json) -> None:
    version, kind = obj.get("apiVersion", ""), obj.get("kind", "")
    if not version and not kind:
        return
    if version == resource.api_version and kind == resource.kind:
        return
    if kind == resource.kind and version:
        raise bad_request(
            f"the API version in the data ({version}) does not match the expected API version "
            f"({resource.api_version})"
        )
    raise _undecodable(resource, kind, _no_conversion(resource, version, kind))


def _no_conversion(resource: Resource, version: str, kind: str) -> str:
    if (version, kind) not in BY_KIND:
        return f'no kind "{kind}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:110"'
    inner = f"{resource.group or 'core'}.{resource.kind}"
    return f"converting ({resource.version}.{kind}) to ({inner}): unknown conversion"


def _undecodable(resource: Resource, kind: str, why: str) -> ApiError:
    return bad_request(
        f'{kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {why}'
    )


def _unmarshal(problem: WrongType) -> str:
    return (
        f"json: cannot unmarshal {problem.found} into Go struct field {problem.go_field} "
        f"of type {problem.wanted}"
    )


def _go_syntax_error(text: str, error: json.JSONDecodeError) -> str:
    if error.pos >= len(text.rstrip()):
        return "unexpected end of JSON input"
    letter = text[error.pos]
    place = "object key string" if "property name" in error.msg else "value"
    return f"invalid character '{letter}' looking for beginning of {place}"


@dataclass(frozen=True)
class Patch:
    """A patch that was read: `apply` it to an object to get the one wanted."""

    media_type: str
    content: Any
    resource: Resource
    strictness: Strictness

    def apply(self, current: Json) -> Json:
        """The object after the patch.

        Raises:
            ApiError: the patch does not fit, or its outcome is no object of this kind.
        """
        if self.media_type == STRATEGIC_MERGE:
            self._check(self.content, go_map(self.content))
            result = apply_strategic_merge(current, self.content, self.resource.schema)
        elif self.media_type == MERGE_PATCH:
            result = apply_merge_patch(current, self.content)
        else:
            try:
                result = apply_json_patch(current, self.content)
            except PatchFailed as error:
                raise unpatchable() from error
        if self.media_type != STRATEGIC_MERGE:
            self._check(result, json.dumps(result, separators=(",", ":")))
        if not isinstance(result, dict):
            raise unpatchable()
        return result

    def _check(self, value: Any, shown: str) -> None:
        strict = []
        for problem in self._problems(value):
            if isinstance(problem, WrongType):
                raise _bad_patch(shown, self._wrong(problem))
            strict.append(f'unknown field "{problem.path}"')
        refusal = self.strictness.judge(strict)
        if refusal:
            raise _bad_patch(shown, refusal)

    def _problems(self, value: Any) -> Iterator[UnknownField | WrongType]:
        if isinstance(value, dict) and self.media_type != STRATEGIC_MERGE:
            kind = value.get("kind", self.resource.kind)
            version = value.get("apiVersion", self.resource.api_version)
            if (kind, version) != (self.resource.kind, self.resource.api_version):
                raise _bad_patch(json.dumps(value), _no_conversion(self.resource, version, kind))
        for problem in problems(value, self.resource.schema):
            if "$" not in problem.path:
                yield problem

    def _wrong(self, problem: WrongType) -> str:
        if self.media_type == STRATEGIC_MERGE:
            return f"unrecognized type: {problem.wanted}"
        return _unmarshal(problem)


def _bad_patch(shown: str, why: str) -> ApiError:
    message = f"Invalid value: {json.dumps(shown)}: {why}"
    return invalid("", "", "", [Cause("FieldValueInvalid", message, "patch")])


def decode_patch(call: Call, resource: Resource, strictness: Strictness) -> Patch:
    """The patch in the body of a PATCH.

    Raises:
        ApiError: 415 or 400.
    """
    if call.media_type not in (JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE):
        raise unsupported_media_type()
    try:
        content = parse_json(call.body).value
    except json.JSONDecodeError as error:
        why = _go_syntax_error(call.body.decode("utf-8", errors="replace"), error)
        raise bad_request(f"error decoding patch: {why}") from error
    if call.media_type == JSON_PATCH:
        _check_json_patch(content)
    elif not isinstance(content, dict):
        name = "array" if isinstance(content, list) else type(content).__name__
        why = f"json: cannot unmarshal {name} into Go value of type map[string]interface {{}}"
        raise bad_request(f"error decoding patch: {why}")
    return Patch(call.media_type, content, resource, strictness)


def decode_apply(call: Call, resource: Resource) -> Json:
    """The object in the body of a server-side apply.

    Raises:
        ApiError: 400; 501 for YAML that is not JSON, CBOR, and fields nobody knows.
    """
    try:
        obj = parse_json(call.body).value
    except json.JSONDecodeError as error:
        raise not_emulated("server-side apply of anything but JSON") from error
    if not isinstance(obj, dict):
        raise bad_request("error decoding YAML: an object is wanted")
    _check_kind(resource, obj)
    if obj.get("metadata", {}).get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    for problem in problems(obj, resource.schema):
        raise not_emulated(f"server-side apply of a field like {problem.path}")
    return obj


def _check_json_patch(content: Any) -> None:
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        why = "json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
        raise bad_request(f"error decoding patch: {why}")
    if len(content) > 10_000:
        message = f"The allowed maximum operations in a JSON patch is 10000, got {len(content)}"
        raise ApiError(413, message, "RequestEntityTooLarge")
