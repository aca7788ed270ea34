"""What the server refuses: names, metadata, pod templates, workloads, and fields that may not change.

Messages are those of Kubernetes v1.33.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from remediator.sandbox.kubernetes.selectors import label_selector
from remediator.sandbox.kubernetes.status import Cause, Json

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_NAME_PART = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = rf"({_NAME_PART})?"

_LABEL_MESSAGE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    f"'{_LABEL}')"
)
_SUBDOMAIN_MESSAGE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    f"'{_SUBDOMAIN}')"
)
_NAME_PART_TAIL = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    f"'{_NAME_PART}')"
)
_VALUE_MESSAGE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
    f"validation is '{_VALUE}')"
)
_NOT_NEGATIVE = "must be greater than or equal to 0"
ANNOTATIONS_LIMIT = 256 * 1024
"""Bytes all annotations of one object may have together."""


def wrong(field: str, value: str, why: str) -> Cause:
    """FieldValueInvalid; `value` is as Go prints it."""
    return Cause("FieldValueInvalid", f"Invalid value: {value}: {why}", field)


def required(field: str, why: str = "") -> Cause:
    """FieldValueRequired."""
    return Cause("FieldValueRequired", f"Required value: {why}" if why else "Required value", field)


def unsupported(field: str, value: str, allowed: Sequence[str]) -> Cause:
    """FieldValueNotSupported."""
    listed = ", ".join(f'"{entry}"' for entry in allowed)
    return Cause("FieldValueNotSupported", f'Unsupported value: "{value}": supported values: {listed}', field)


def not_allowed(field: str, why: str) -> Cause:
    """FieldValueForbidden."""
    return Cause("FieldValueForbidden", f"Forbidden: {why}", field)


def go_strings(values: dict[str, str] | None) -> str:
    """How Go prints a map of strings in a message."""
    if not values:
        return "map[string]string(nil)"
    return "map[string]string{" + ", ".join(f'"{key}":"{values[key]}"' for key in sorted(values)) + "}"


def go_selector(selector: Json) -> str:
    """How Go prints a LabelSelector in a message."""
    labels = go_strings(selector.get("matchLabels"))
    return f"v1.LabelSelector{{MatchLabels:{labels}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}}"


def metadata_causes(kind: str, metadata: Json) -> Iterator[Cause]:
    """What is wrong with an object's metadata."""
    name = metadata.get("name", "")
    if not name:
        yield required("metadata.name", "name or generateName is required")
    elif not re.fullmatch(_LABEL if kind in ("Namespace", "Service") else _SUBDOMAIN, name):
        message = _LABEL_MESSAGE if kind in ("Namespace", "Service") else _SUBDOMAIN_MESSAGE
        yield wrong("metadata.name", f'"{name}"', message)
    yield from label_causes(metadata.get("labels") or {}, "metadata.labels")
    yield from annotation_causes(metadata.get("annotations") or {}, "metadata.annotations")
    for owner in metadata.get("ownerReferences") or []:
        for field in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(field):
                why = f"{'version' if field == 'apiVersion' else field} must not be empty"
                yield wrong(f"metadata.ownerReferences.{field}", '""', why)
    yield from _controller_causes(metadata.get("ownerReferences") or [])


def _controller_causes(owners: list[Json]) -> Iterator[Cause]:
    controllers = [f"{owner.get('kind')}/{owner.get('name')}" for owner in owners if owner.get("controller")]
    if len(controllers) > 1:
        why = (
            'Only one reference can have Controller set to true. Found "true" in references for '
            f"{controllers[0]} and {controllers[1]}"
        )
        yield wrong("metadata.ownerReferences", str(owners), why)


def _key_causes(key: str, field: str, subject: str) -> Iterator[Cause]:
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        yield wrong(
            field,
            f'"{key}"',
            f"a qualified name {_NAME_PART_TAIL} with an optional DNS subdomain prefix and '/' "
            "(e.g. 'example.com/MyName')",
        )
        return
    if slash and not re.fullmatch(_SUBDOMAIN, prefix):
        yield wrong(field, f'"{key}"', f"prefix part {_SUBDOMAIN_MESSAGE}")
    if not name:
        yield wrong(field, f'"{key}"', "name part must be non-empty")
    if len(name) > 63:
        yield wrong(field, f'"{key}"', "name part must be no more than 63 bytes")
    if not re.fullmatch(_NAME_PART, name):
        yield wrong(field, f'"{key}"', f"{subject} {_NAME_PART_TAIL}")


def label_causes(labels: dict[str, str], field: str) -> Iterator[Cause]:
    """What is wrong with a map of labels."""
    for key, value in labels.items():
        yield from _key_causes(key, field, "name part")
        if len(value) > 63:
            yield wrong(field, f'"{value}"', "must be no more than 63 bytes")
        if not re.fullmatch(_VALUE, value):
            yield wrong(field, f'"{value}"', _VALUE_MESSAGE)


def annotation_causes(annotations: dict[str, str], field: str) -> Iterator[Cause]:
    """What is wrong with a map of annotations."""
    for key in annotations:
        yield from _key_causes(key.lower(), field, "name part")
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > ANNOTATIONS_LIMIT:
        yield Cause("FieldValueTooLong", f"Too long: may not be more than {ANNOTATIONS_LIMIT} bytes", field)


def pod_spec_causes(spec: Json, field: str) -> Iterator[Cause]:
    """What is wrong with a pod's spec."""
    containers = spec.get("containers") or []
    if not containers:
        yield required(f"{field}.containers")
    seen: set[str] = set()
    for index, container in enumerate(containers):
        yield from _container_causes(container, f"{field}.containers[{index}]", seen)


def pod_update_causes(before: Json, after: Json) -> Iterator[Cause]:
    """What is wrong with a change of a pod's spec."""
    if _frozen_spec(before) != _frozen_spec(after):
        why = (
            "pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
            "existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
            "previously negative)"
        )
        yield not_allowed("spec", why)


def _frozen_spec(pod: Json) -> Json:
    free = ("containers", "activeDeadlineSeconds", "tolerations")
    spec = {name: value for name, value in pod["spec"].items() if name not in free}
    containers = pod["spec"].get("containers", [])
    return {**spec, "containers": [{**container, "image": ""} for container in containers]}


def _container_causes(container: Json, field: str, seen: set[str]) -> Iterator[Cause]:
    name = container.get("name", "")
    if not name:
        yield required(f"{field}.name")
    elif not re.fullmatch(_LABEL, name):
        yield wrong(f"{field}.name", f'"{name}"', _LABEL_MESSAGE)
    elif name in seen:
        yield Cause("FieldValueDuplicate", f'Duplicate value: "{name}"', f"{field}.name")
    seen.add(name)
    image = container.get("image", "")
    if not image:
        yield required(f"{field}.image")
    elif image != image.strip():
        yield wrong(f"{field}.image", f'"{image}"', "must not have leading or trailing whitespace")


def workload_causes(kind: str, spec: Json) -> Iterator[Cause]:
    """What is wrong with a Deployment's or ReplicaSet's spec."""
    yield from _not_negative(spec, "replicas")
    selector, template = spec.get("selector"), spec.get("template", {})
    labels = template.get("metadata", {}).get("labels") or {}
    if selector is None:
        yield required("spec.selector")
    elif not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield wrong("spec.selector", go_selector(selector), f"empty selector is invalid for {kind.lower()}")
    if not label_selector(selector)(labels) or selector is None:
        why = "`selector` does not match template `labels`"
        yield wrong("spec.template.metadata.labels", go_strings(labels), why)
    yield from label_causes(labels, "spec.template.metadata.labels")
    annotations = template.get("metadata", {}).get("annotations") or {}
    yield from annotation_causes(annotations, "spec.template.metadata.annotations")
    yield from pod_spec_causes(template.get("spec", {}), "spec.template.spec")
    restart = template.get("spec", {}).get("restartPolicy", "Always")
    if restart != "Always":
        yield unsupported("spec.template.spec.restartPolicy", restart, ["Always"])
    if kind == "Deployment":
        yield from _strategy_causes(spec.get("strategy", {}))
    yield from _not_negative(spec, "minReadySeconds")
    yield from _not_negative(spec, "revisionHistoryLimit")
    yield from _not_negative(spec, "progressDeadlineSeconds")
    deadline = spec.get("progressDeadlineSeconds")
    if kind == "Deployment" and deadline is not None and deadline <= spec.get("minReadySeconds", 0):
        yield wrong("spec.progressDeadlineSeconds", str(deadline), "must be greater than minReadySeconds")


def _not_negative(spec: Json, name: str) -> Iterator[Cause]:
    value = spec.get(name)
    if value is not None and value < 0:
        yield wrong(f"spec.{name}", str(value), _NOT_NEGATIVE)


def _strategy_causes(strategy: Json) -> Iterator[Cause]:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind not in ("Recreate", "RollingUpdate"):
        yield unsupported("spec.strategy.type", str(kind), ["Recreate", "RollingUpdate"])
    elif kind == "Recreate" and rolling is not None:
        why = "may not be specified when strategy `type` is 'Recreate'"
        yield not_allowed("spec.strategy.rollingUpdate", why)
    elif rolling is not None and all(_is_zero(rolling.get(n)) for n in ("maxUnavailable", "maxSurge")):
        shown = 'intstr.IntOrString{Type:0, IntVal:0, StrVal:""}'
        field = "spec.strategy.rollingUpdate.maxUnavailable"
        yield wrong(field, shown, "may not be 0 when `maxSurge` is 0")


def _is_zero(value: Any) -> bool:
    return value in (0, "0", "0%")


def _immutable(field: str, before: Any, after: Any, shown: Callable[[Any], str]) -> Iterator[Cause]:
    if before != after:
        yield wrong(field, shown(after), "field is immutable")


def object_causes(kind: str, obj: Json) -> list[Cause]:
    """What is wrong with a new object."""
    causes = list(metadata_causes(kind, obj["metadata"]))
    return causes + list(_spec_causes(kind, obj))


def _spec_causes(kind: str, obj: Json) -> Iterator[Cause]:
    if kind in ("Deployment", "ReplicaSet"):
        yield from workload_causes(kind, obj.get("spec", {}))
    elif kind == "Pod":
        yield from pod_spec_causes(obj.get("spec", {}), "spec")
    elif kind == "HorizontalPodAutoscaler":
        most = obj["spec"].get("maxReplicas", 0)
        if most < obj["spec"]["minReplicas"]:
            yield wrong("spec.maxReplicas", str(most), "must be greater than or equal to `minReplicas`")
    elif kind == "Event":
        about = obj["involvedObject"].get("namespace", "")
        if about not in ("", obj["metadata"].get("namespace")):
            yield wrong("involvedObject.namespace", f'"{about}"', "does not match event.namespace")
    elif kind in ("ConfigMap", "Secret"):
        yield from _size_causes(kind, obj)


def _size_causes(kind: str, obj: Json) -> Iterator[Cause]:
    size = sum(len(str(value).encode()) for value in (obj.get("data") or {}).values())
    if size > 1024 * 1024:
        message = "Too long: may not be more than 1048576 bytes"
        yield Cause("FieldValueTooLong", message, "[]" if kind == "ConfigMap" else "data")


def update_causes(kind: str, before: Json, after: Json) -> list[Cause]:
    """What is wrong with a change of an object; metadata is looked at several times, as the real server does."""
    metadata = list(metadata_causes(kind, after["metadata"]))
    old, new = before["metadata"], after["metadata"]
    identity = list(_immutable("metadata.uid", old.get("uid"), new.get("uid"), lambda value: f'"{value}"'))
    causes = [*metadata, *identity, *_spec_causes(kind, after)]
    if kind in ("Deployment", "ReplicaSet"):
        old_selector, new_selector = before["spec"].get("selector"), after["spec"].get("selector")
        if new_selector is not None:
            causes += _immutable("spec.selector", old_selector, new_selector, go_selector)
    if kind == "Pod":
        causes += pod_update_causes(before, after)
    if kind in ("ConfigMap", "Secret") and before.get("immutable"):
        causes += _frozen_data_causes(before, after)
    return causes + identity + metadata * (3 if kind == "ConfigMap" else 2)


def _frozen_data_causes(before: Json, after: Json) -> Iterator[Cause]:
    why = "field is immutable when `immutable` is set"
    if not after.get("immutable"):
        yield not_allowed("immutable", why)
    for field in ("data", "binaryData"):
        if before.get(field) != after.get(field):
            yield not_allowed(field, why)
