"""What a well-shaped rule file can still have wrong in one place: matchers, queries, patterns, targets."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from remediator.domain.duration import format_duration, parse_duration
from remediator.domain.matcher import MatcherError, parse_matchers
from remediator.domain.pattern import search
from remediator.domain.substitution import misplaced, unknown_placeholders
from remediator.domain.target import KINDS, Target, misnamed
from remediator.rulebook.problem import Fault, YamlPath, near_miss
from remediator.rulebook.queries import unbalanced
from remediator.rulebook.shape import STEPS

_QUERYING = frozenset({"promql", "promql_range"})
"""Steps whose `query` is one of Prometheus'."""
_PLACEHOLDERS = ("target.kind", "target.namespace", "target.name", "labels.")
_PROMETHEUS_TEMPLATE = re.compile(r"\{\{|\$labels\b")
_KIND = re.compile(r"[a-z][a-z0-9]{0,62}")


def check_content(content: Any) -> tuple[Fault, ...]:
    """Everything found, whatever the shape of the rest: a slip in one place hides none in another."""
    return tuple(_found(content, ()))


def _found(value: Any, path: YamlPath) -> Iterator[Fault]:
    if isinstance(value, dict):
        for key, below in value.items():
            check = _CHECKS.get(key)
            if check is not None:
                yield from check((*path, key), below)
            if isinstance(below, dict | tuple):
                yield from _found(below, (*path, key))
    elif isinstance(value, tuple):
        for index, below in enumerate(value):
            if isinstance(below, dict | tuple):
                yield from _found(below, (*path, index))


def _texts(path: YamlPath, value: Any) -> Iterator[tuple[YamlPath, str]]:
    """The texts of a list."""
    for index, text in enumerate(value if isinstance(value, tuple) else ()):
        if isinstance(text, str):
            yield (*path, index), text


def _matchers(path: YamlPath, value: Any) -> Iterator[Fault]:
    """The lines of a rule, of an entry under targets, and of a guard."""
    for at, line in _texts(path, value):
        try:
            parse_matchers(line)
        except MatcherError as reason:
            yield Fault(at, reason.sentence, offset=reason.offset)


def _query(path: YamlPath, value: Any) -> Iterator[Fault]:
    if _QUERYING.isdisjoint(path) or not isinstance(value, str):
        return
    if not value.strip():
        yield Fault(path, "the query is empty")
    torn = list(unbalanced(value))
    for sentence, offset in torn:
        yield Fault(path, sentence, offset=offset)
    for sentence, offset in () if torn else misplaced(value):
        yield Fault(path, sentence, 'write it inside "double quotes"', offset=offset)
    for inner in unknown_placeholders(value):
        written = f"${{{inner}}}"
        known = f"known here: {', '.join(f'${{{each}}}' for each in _PLACEHOLDERS[:3])} and ${{labels.NAME}}"
        near = near_miss(inner, _PLACEHOLDERS[:3])
        hint = re.sub(r"'(.*)'", r"${\1}", near) or known
        yield Fault(path, f"unknown placeholder {written}", hint, offset=value.find(written))
    template = _PROMETHEUS_TEMPLATE.search(value)
    if template is not None:
        why = "Prometheus' templates are not filled in here"
        yield Fault(path, why, "write ${labels.NAME}", offset=template.start())


def _pattern(path: YamlPath, value: Any) -> Iterator[Fault]:
    if path[-2:-1] == ("logs",) and isinstance(value, str):
        try:
            search(value, "")
        except ValueError as reason:
            yield Fault(path, str(reason))


def _target(path: YamlPath, value: Any) -> Iterator[Fault]:
    match path:
        case ("targets", int(), _) if isinstance(value, str):
            try:
                Target.parse(value, cluster="")
            except ValueError as reason:
                kind, _, rest = value.partition("/")
                hint = near_miss(kind, KINDS) if "/" in rest and kind not in KINDS else ""
                yield Fault(path, str(reason), hint)


def _depends_on(path: YamlPath, value: Any) -> Iterator[Fault]:
    match path:
        case ("targets", int(), _):
            for at, text in _texts(path, value):
                wrong = _misnamed_object(text)
                if wrong is not None:
                    yield Fault(at, wrong)


def _misnamed_object(text: str) -> str | None:
    """As for a target, but of any kind: what a workload depends on is looked at, never changed."""
    parts = text.split("/")
    if len(parts) != 3:
        return f"not kind/namespace/name: {text!r} (for example statefulset/checkout/postgresql)"
    kind, namespace, name = parts
    if not _KIND.fullmatch(kind):
        return f"{kind!r} is not a kind in lower case, such as statefulset"
    return misnamed("deployment", namespace, name)


def _settles(path: YamlPath, value: Any) -> Iterator[Fault]:
    for index, entry in enumerate(value if isinstance(value, tuple) else ()):
        for name, fields in entry.items() if isinstance(entry, dict) else ():
            if isinstance(fields, dict):
                yield from _could_settle((*path, index, name), fields)


def _could_settle(path: YamlPath, fields: dict[str, Any]) -> Iterator[Fault]:
    hold = _duration_of(path, fields, "for")
    within = _duration_of(path, fields, "within")
    if hold is not None and within is not None and hold > within:
        at = "for" if "for" in fields else "within"
        why = f"for ({format_duration(hold)}) is longer than within ({format_duration(within)})"
        yield Fault((*path, at), f"{why}: it could never settle")


def _duration_of(path: YamlPath, fields: dict[str, Any], key: str) -> timedelta | None:
    """What the rule says, else the step's default; None when it is not a duration, which the shape tells."""
    if key in fields:
        try:
            return parse_duration(fields[key])
        except ValueError:
            return None
    step = STEPS["verifications"].get(str(path[-1]))
    for name, field in step.model_fields.items() if step is not None else ():
        if key == (field.alias or name) and isinstance(field.default, timedelta):
            return field.default
    return None


def _one_template(path: YamlPath, value: Any) -> Iterator[Fault]:
    """Each action is planned from what is there now, so that the second would find the first's change in its way."""
    if not isinstance(value, tuple) or len(value) < 2:
        return
    why = "a second action of one rung would change what the first has just changed"
    yield Fault((*path, 1), why, "try them in turn with rungs")


_CHECKS: dict[str, Callable[[YamlPath, Any], Iterator[Fault]]] = {
    "match": _matchers,
    "query": _query,
    "grep": _pattern,
    "target": _target,
    "depends_on": _depends_on,
    "verifications": _settles,
    "actions": _one_template,
}
"""By the key of what they look at."""
