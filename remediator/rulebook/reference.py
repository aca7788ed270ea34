"""The reference of rule files in Markdown, read off the classes themselves, so that it cannot say anything else."""

from collections.abc import Iterator
from datetime import date, timedelta
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from remediator.catalogue import ALWAYS_ON, PROCEDURES
from remediator.domain.duration import format_duration
from remediator.rulebook.described import about, fields_described
from remediator.rulebook.rule import Defaults, HandOver, Rule, RuleFile, RuleTarget, Rung
from remediator.rulebook.shape import STEPS
from remediator.step import Guard, Step

_HEAD = """\
# Rules reference

Every key that a rule file may have, read off the classes of this version: `remediator rules reference` prints it.
What the keys come to, how files are checked, tested and tried on the past: [Rules](rules.md).

A duration is written `30s`, `5m`, `1h30m` or `7d`; a step as its name alone, or as its name with its fields. Where one
field may be written bare, `min_replicas: 2` stands for `min_replicas: {replicas: 2}`.
"""
_SHAPES: dict[str, type[BaseModel]] = {
    "A file": RuleFile,
    "`defaults`": Defaults,
    "An entry under `targets`": RuleTarget,
    "A rule": Rule,
    "An entry under `rungs`": Rung,
}
_STEPS = {
    "diagnostics": "Looks that are made before anything changes. One that fails is noted, and stops nothing.",
    "guards": "Reasons not to make the change now. Those that are always asked are asked of every rule; naming one in "
    "a rule asks a second one, with the numbers given there, and takes nothing away.",
    "actions": "What may be changed.",
    "verifications": "How to tell whether it helped. All have to say so.",
}
_PROCEDURES = (
    "What `otherwise: {hand_over: [...]}` may name. Where the run ends with people taking over, each is filled in "
    "with what is so just then: they read it in the notice, in `remediator runs show` or with `remediator runs "
    "handover`, and run it themselves. The daemon runs none of it."
)
_KINDS = {
    timedelta: "duration",
    bool: "`true` or `false`",
    int: "whole number",
    float: "number",
    str: "text",
    date: "day",
}


def reference() -> str:
    """The whole of it."""
    return "\n".join([_HEAD, *_of_shapes(), *_of_steps(), *_of_procedures()])


def _of_shapes() -> Iterator[str]:
    for title, model in _SHAPES.items():
        yield f"## {title}\n"
        yield f"{about(model)}\n"
        yield _table(model)


def _of_steps() -> Iterator[str]:
    for kind, what in _STEPS.items():
        yield f"## {kind.capitalize()}\n"
        yield f"{what}\n"
        for name, step in STEPS[kind].items():
            yield f"### `{name}`{' (guard)' if name == 'promql' and kind == 'guards' else ''}\n"
            yield f"{about(step)}{_when(step)}\n"
            if step.model_fields:
                yield _table(step)


def _of_procedures() -> Iterator[str]:
    yield "## Procedures\n"
    yield f"{_PROCEDURES}\n"
    yield "| name | what people do | level | who agrees first |"
    yield "|---|---|---|---|"
    for each in sorted(PROCEDURES.values(), key=lambda each: each.name):
        yield f"| `{each.name}` | {each.title} | {each.level} | {each.approver} |"


def _when(step: type[Step]) -> str:
    """Of what a guard is asked."""
    if not issubclass(step, Guard):
        return ""
    always = any(isinstance(each, step) for each in ALWAYS_ON)
    of = f" about {_listed(sorted(step.actions))}" if step.actions else ""
    runs = ", of runs that an alert began" if step.of_alerts else ""
    said = f"*{'Always asked' if always else 'Asked where a rule names it'}{of}{runs}.*"
    return f"\n\n{said}"


def _table(model: type[BaseModel]) -> str:
    bare = getattr(model, "bare", None)
    described = fields_described(model)
    rows = ["| key | value | default | |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        text = described.get(name, "") + (" May be written bare." if name == bare else "")
        cells = (f"`{field.alias or name}`", _value(field), _default(field), text)
        rows.append(f"| {' | '.join(each.replace('|', chr(92) + '|') for each in cells)} |")
    return "\n".join(rows) + "\n"


def _value(field: FieldInfo) -> str:
    said = [_kind(field.annotation), _bounds(field.metadata)]
    return ", ".join(each for each in said if each)


def _kind(annotation: Any) -> str:
    arguments = [each for each in get_args(annotation) if each is not NoneType]
    if annotation in _KINDS:
        return _KINDS[annotation]
    if get_origin(annotation) is Literal:
        return _listed([f"`{each}`" for each in arguments], "or")
    if get_origin(annotation) is tuple:
        return f"list of {_entry(arguments[0])}"
    if annotation is HandOver:
        return "`hand_over`, or mapping of `hand_over` to a list of procedures"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        keys = _listed([f"`{field.alias or name}`" for name, field in annotation.model_fields.items()])
        return f"mapping of {keys}"
    return _kind(arguments[0])


def _entry(annotation: Any) -> str:
    """What a list holds: steps, mappings that have a table of their own, or texts."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "mappings"
    return "lines" if str in (annotation, *get_args(annotation)) else "steps"


def _bounds(metadata: list[Any]) -> str:
    low = next((each for each in metadata if isinstance(each, Ge | Gt | MinLen)), None)
    high = next((each for each in metadata if isinstance(each, Le | Lt | MaxLen)), None)
    if isinstance(low, MinLen) or isinstance(high, MaxLen):
        most = f"at most {high.max_length}" if isinstance(high, MaxLen) else ""
        least = f"at least {low.min_length}" if isinstance(low, MinLen) else ""
        return " and ".join(each for each in (least, most) if each)
    if isinstance(low, Ge) and isinstance(high, Le):
        return f"{_number(low.ge)} to {_number(high.le)}"
    above = f"more than {_number(low.gt)}" if isinstance(low, Gt) else ""
    least = f"at least {_number(low.ge)}" if isinstance(low, Ge) else ""
    most = f"at most {_number(high.le)}" if isinstance(high, Le) else ""
    return " and ".join(each for each in (above, least, most) if each)


def _number(bound: Any) -> str:
    return format_duration(bound) if isinstance(bound, timedelta) else f"{bound}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    match field.default:
        case None:
            return ""
        case timedelta():
            return f"`{format_duration(field.default)}`"
        case HandOver():
            return "`hand_over`"
        case tuple() | BaseModel():
            return "none"
        case bool():
            return f"`{str(field.default).lower()}`"
        case _:
            return f"`{field.default}`"


def _listed(words: list[str], last: str = "and") -> str:
    return f" {last} ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
