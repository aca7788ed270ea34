"""JSON Schemas of the files people write, for editors: read off the models, so that they cannot say anything else."""

from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from remediator.domain.duration import format_duration
from remediator.rulebook.described import fields_described
from remediator.rulebook.rule import HandOver, RuleFile
from remediator.rulebook.shape import STEPS
from remediator.step import Step

DIALECT = "http://json-schema.org/draft-07/schema#"
"""The newest one that yaml-language-server reads."""


def json_schema() -> JsonSchemaValue:
    """The schema of one file of rules/."""
    return schema_of(RuleFile, "remediator rule file")


def schema_of(root: type[BaseModel], title: str) -> JsonSchemaValue:
    """The schema of a file of this shape."""
    found = root.model_json_schema(by_alias=True, schema_generator=_AsInYaml)
    return {"$schema": DIALECT, **found, "title": title}


class _AsInYaml(GenerateJsonSchema):
    """Steps as they are written, a name alone or a name with its fields, and durations as `5m`."""

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        fields = {str(name): self.generate_inner(choice) for name, choice in schema["choices"].items()}
        steps = next(known for known in STEPS.values() if known.keys() == fields.keys())
        alone = [name for name, step in steps.items() if _needs_nothing(step)]
        written = {name: _value_of(steps[name], fields[name]) for name in fields}
        one = {"type": "object", "properties": written, "additionalProperties": False}
        one |= {"minProperties": 1, "maxProperties": 1}
        return {"anyOf": [{"enum": alone}, one]} if alone else one

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        found = super().model_schema(schema)
        model: type[BaseModel] = schema["cls"]
        for name, text in fields_described(model).items():
            key = model.model_fields[name].alias or name
            if key in found.get("properties", {}):
                found["properties"][key] = _with_description(found["properties"][key], text)
        return {"anyOf": [{"const": "hand_over"}, found]} if model is HandOver else found

    def encode_default(self, dft: Any) -> Any:
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def _with_description(value: JsonSchemaValue, text: str) -> JsonSchemaValue:
    """Draft 7 ignores whatever stands beside a reference."""
    return {"allOf": [value], "description": text} if "$ref" in value else {**value, "description": text}


def _needs_nothing(step: type[Step]) -> bool:
    return not any(field.is_required() for field in step.model_fields.values())


def _value_of(step: type[Step], fields: JsonSchemaValue) -> JsonSchemaValue:
    """What may stand after `name:`."""
    others: list[JsonSchemaValue] = [{"type": "null"}] if _needs_nothing(step) else []
    if step.bare is not None:
        others.append({"not": {"type": "object"}})
    return {"anyOf": [fields, *others]} if others else fields
