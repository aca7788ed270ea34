"""What is wrong with one field, in the words of Kubernetes v1.33."""

from collections.abc import Iterator, Sequence

from remediator.sandbox.kubernetes.status import Cause, Json


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


def not_negative(spec: Json, name: str, field: str = "") -> Iterator[Cause]:
    """A number below 0 where there may be none; `field` is `spec.NAME` unless it is given."""
    value = spec.get(name)
    if value is not None and value < 0:
        yield wrong(field or f"spec.{name}", str(value), "must be greater than or equal to 0")
