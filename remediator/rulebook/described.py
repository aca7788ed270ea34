"""What the docstrings of a model and of its fields say, for editors and for the reference.

Read from the source when somebody asks: pydantic would do so whenever a class is made, which takes a
quarter of a second of every command.
"""

import ast
import inspect
from functools import cache
from itertools import pairwise
from textwrap import dedent

from pydantic import BaseModel


@cache
def fields_described(model: type[BaseModel]) -> dict[str, str]:
    """The text below each field of a model or of what it inherits from, by the field's name in Python."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            found |= _below_fields(base)
    return {name: text for name, text in found.items() if name in model.model_fields}


def about(model: type[BaseModel]) -> str:
    """Its docstring, one line a paragraph."""
    paragraphs = inspect.cleandoc(model.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(each.split()) for each in paragraphs)


def _below_fields(model: type[BaseModel]) -> dict[str, str]:
    (written,) = ast.parse(dedent(inspect.getsource(model))).body
    body = written.body if isinstance(written, ast.ClassDef) else []
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
