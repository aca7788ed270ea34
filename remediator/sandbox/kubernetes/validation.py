"""What the server refuses: names, metadata, pod templates, workloads, and fields that may not change.

Messages are those of Kubernetes v1.33.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from remediator.sandbox.kubernetes.causes import (
    go_selector,
    go_strings,
    not_allowed,
    not_negative,
    required,
    unsupported,
    wrong,
)
from remediator.sandbox.kubernetes.selectors import label_selector
from remediator.sandbox.kubernetes.status import Cause, Json
from remediator.sandbox.kubernetes.strategies import frozen_spec_causes, refuse_unemulated, strategy_causes

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
WORKLOADS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")
"""Kinds with a selector and a pod template."""
ANNOTATIONS_LIMIT = 256 * 1024
"""Bytes all annotations of one object may have together."""


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
    """What is wrong with the spec of one of WORKLOADS.

    Raises:
        ApiError: 501, it wants what no controller here does.
    """
    refuse_unemulated(kind, spec)
    yield from not_negative(spec, "replicas")
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
    yield from strategy_causes(kind, spec)
    yield from not_negative(spec, "minReadySeconds")
    yield from not_negative(spec, "revisionHistoryLimit")
    yield from not_negative(spec, "progressDeadlineSeconds")
    deadline = spec.get("progressDeadlineSeconds")
    if kind == "Deployment" and deadline is not None and deadline <= spec.get("minReadySeconds", 0):
        yield wrong("spec.progressDeadlineSeconds", str(deadline), "must be greater than minReadySeconds")


def _immutable(field: str, before: Any, after: Any, shown: Callable[[Any], str]) -> Iterator[Cause]:
    if before != after:
        yield wrong(field, shown(after), "field is immutable")


def object_causes(kind: str, obj: Json) -> list[Cause]:
    """What is wrong with a new object."""
    causes = list(metadata_causes(kind, obj["metadata"]))
    return causes + list(_spec_causes(kind, obj))


def _spec_causes(kind: str, obj: Json) -> Iterator[Cause]:
    if kind in WORKLOADS:
        yield from workload_causes(kind, obj.get("spec", {}))
    elif kind == "Pod":
        yield from pod_spec_causes(obj.get("spec", {}), "spec")
    elif kind == "HorizontalPodAutoscaler":
        most = obj["spec"].get("maxReplicas", 0)
        if most < obj["spec"]["minReplicas"]:
            yield wrong("spec.maxReplicas", str(most), "must be greater than or equal to `minReplicas`")
    elif kind == "Event":
        yield from _event_causes(obj)
    elif kind == "ControllerRevision":
        yield from not_negative(obj, "revision", "revision")
    elif kind in ("ConfigMap", "Secret"):
        yield from _size_causes(kind, obj)


def _event_causes(obj: Json) -> Iterator[Cause]:
    about = obj["involvedObject"].get("namespace", "")
    if about not in ("", obj["metadata"].get("namespace")):
        yield wrong("involvedObject.namespace", f'"{about}"', "does not match event.namespace")


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
    causes = [*metadata, *identity, *_spec_causes(kind, after), *_frozen_causes(kind, before, after)]
    return causes + identity + metadata * (3 if kind == "ConfigMap" else 2)


def _frozen_causes(kind: str, before: Json, after: Json) -> Iterator[Cause]:
    if kind == "StatefulSet":
        yield from frozen_spec_causes(before["spec"], after["spec"])
    elif kind in WORKLOADS:
        old_selector, new_selector = before["spec"].get("selector"), after["spec"].get("selector")
        if new_selector is not None:
            yield from _immutable("spec.selector", old_selector, new_selector, go_selector)
    elif kind == "Pod":
        yield from pod_update_causes(before, after)
    elif kind == "ControllerRevision":
        yield from _immutable("data", before.get("data"), after.get("data"), str)
    elif kind in ("ConfigMap", "Secret") and before.get("immutable"):
        yield from _frozen_data_causes(before, after)


def _frozen_data_causes(before: Json, after: Json) -> Iterator[Cause]:
    why = "field is immutable when `immutable` is set"
    if not after.get("immutable"):
        yield not_allowed("immutable", why)
    for field in ("data", "binaryData"):
        if before.get(field) != after.get(field):
            yield not_allowed(field, why)
