"""Which keys may stand where in a rule file, or another of ours, read off the models themselves."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from remediator.catalogue import ActionStep, DiagnosticStep, GuardStep, VerificationStep
from remediator.rulebook.problem import YamlPath
from remediator.rulebook.rule import RuleFile
from remediator.step import Step


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models named anywhere in an annotation: of `tuple[Rule, ...]`, of a union of steps."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _steps(annotation: Any) -> dict[str, type[Step]]:
    return {model.key(): model for model in _models(annotation) if issubclass(model, Step)}


STEPS: dict[str, dict[str, type[Step]]] = {
    "diagnostics": _steps(DiagnosticStep),
    "guards": _steps(GuardStep),
    "actions": _steps(ActionStep),
    "verifications": _steps(VerificationStep),
}
"""The steps each list of a rule may hold, by their keys."""


def keys_at(path: YamlPath, root: type[BaseModel] = RuleFile) -> tuple[str, ...]:
    """The keys a mapping at this path of a file may have; empty when the path leads to no mapping."""
    model: type[BaseModel] | None = root
    steps: dict[str, type[Step]] = {}
    for piece in path:
        if isinstance(piece, int):
            continue
        if steps:
            model, steps = steps.get(piece), {}
        elif model is not None:
            steps = STEPS.get(piece, {})
            model = _field_model(model, piece)
        if model is None and not steps:
            return ()
    return tuple(steps) if steps else tuple(_names(model)) if model is not None else ()


def _names(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.alias or name


def _field_model(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    for name, field in model.model_fields.items():
        if key == (field.alias or name):
            return next(_models(field.annotation), None)
    return None
