"""What the shape of a file finds wrong, in sentences that do not need pydantic to be understood."""

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from remediator.catalogue import UNDO
from remediator.rulebook.problem import Fault, YamlPath, near_miss
from remediator.rulebook.rule import RuleFile
from remediator.rulebook.shape import STEPS, keys_at

Root = TypeVar("Root", bound=BaseModel)

_LEADING_ZEROS = re.compile(r"^0+(?=[0-9])")
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")


def parse_rule_file(content: Any) -> RuleFile | tuple[Fault, ...]:
    """The rule file, or everything that is wrong with its shape."""
    return parse(RuleFile, content)


def parse(root: type[Root], content: Any) -> Root | tuple[Fault, ...]:
    """A file of the shape `root`, or everything that is wrong with it.

    Strict: nothing is converted, because `"5"` for a number is as much a slip as `5` for a text.
    """
    try:
        return root.model_validate(content, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        found = error.errors(include_url=False)
        return tuple(_fault(each, root) for each in found if not _follows(each, found))


def _follows(error: ErrorDetails, errors: Iterable[ErrorDetails]) -> bool:
    """Whether a list is only too short because pydantic left out the entries that are wrong."""
    path = error["loc"]
    return error["type"] == "too_short" and any(
        each["loc"][: len(path)] == path and len(each["loc"]) > len(path) for each in errors
    )


def _fault(error: ErrorDetails, root: type[BaseModel]) -> Fault:
    path: YamlPath = error["loc"]
    kind = error["type"]
    given = error["input"]
    if kind == "extra_forbidden":
        return _unknown_key(path, root)
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        return _unknown_step(path, given)
    expected = _EXPECTED.get(kind)
    if expected is not None:
        return Fault(
            path, f"expected {expected(error.get('ctx', {}))}, found {_shown(given)}", _hint(kind, error)
        )
    sentence = _SENTENCES.get(kind)
    if sentence is not None:
        return Fault(path, sentence(error.get("ctx", {})))
    return Fault(path, error["msg"])


def _unknown_key(path: YamlPath, root: type[BaseModel]) -> Fault:
    known = keys_at(path[:-1], root)
    hint = near_miss(str(path[-1]), known) or (f"known here: {', '.join(known)}" if known else "")
    return Fault(path, "unknown key", hint, at_key=True)


def _unknown_step(path: YamlPath, given: Any) -> Fault:
    """An entry of a list of steps that names none of them, or more than one."""
    in_list = str(next(piece for piece in reversed(path) if isinstance(piece, str)))
    known = STEPS[in_list]
    names = [given] if isinstance(given, str) else list(given) if isinstance(given, dict) else []
    if len(names) != 1:
        return Fault(path, *_not_one_step(given, names, known))
    name = names[0]
    if name == UNDO.key():
        why = "undo is no step of a rule: a person asks for it, with `remediator runs undo ID`"
        return Fault((*path, name), why, at_key=True)
    elsewhere = [other for other, steps in STEPS.items() if name in steps]
    hint = f"it belongs in {' or '.join(elsewhere)}" if elsewhere else ""
    hint = hint or near_miss(name, known) or f"known here: {', '.join(known)}"
    return Fault((*path, name), "unknown step", hint, at_key=True)


def _not_one_step(given: Any, names: list[str], known: dict[str, Any]) -> tuple[str, str]:
    if not names:
        return f"expected the name of a step, found {_shown(given)}", f"known here: {', '.join(known)}"
    first, rest = names[0], ", ".join(names[1:])
    if given[first] is None and first in known:
        return (
            f"an entry names one step, found {', '.join(names)}",
            f"indent {rest} further to belong to {first}",
        )
    return f"an entry names one step, found {', '.join(names)}", "start each with a dash of its own"


def _shown(given: Any) -> str:
    """What stands there, as a reader of YAML would call it."""
    match given:
        case None:
            return "nothing"
        case bool():
            return str(given).lower()
        case int() | float():
            return f"the number {given}"
        case str():
            return repr(given if len(given) <= 60 else given[:57] + "...")
        case dict():
            return "a mapping"
        case _:
            return "a list"


def _hint(kind: str, error: ErrorDetails) -> str:
    given = error["input"]
    match kind:
        case "string_type":
            return _to_text(given)
        case "int_type" | "float_type" if isinstance(given, str):
            number = _LEADING_ZEROS.sub("", given.strip())
            return f"(write {number} without quotes)" if _NUMBER.fullmatch(number) else ""
        case "literal_error" if isinstance(given, str):
            return near_miss(given, [word.strip("'") for word in _literals(error["ctx"])])
        case "tuple_type":
            return "" if given is None else "(start each entry with a dash)"
        case _:
            return ""


def _to_text(given: Any) -> str:
    """`{alertname="X"}` without quotes is a YAML mapping of one key; say so."""
    if isinstance(given, dict) and given and all(value is None for value in given.values()):
        return "(quote it: '{" + ", ".join(given) + "}')"
    return "" if given is None or isinstance(given, dict | tuple) else "(quote it)"


def _literals(context: dict[str, Any]) -> list[str]:
    return str(context["expected"]).replace(" or ", ", ").split(", ")


_Sentence = Callable[[dict[str, Any]], str]

_EXPECTED: dict[str, _Sentence] = {
    "string_type": lambda _: "text",
    "int_type": lambda _: "a whole number",
    "float_type": lambda _: "a number",
    "bool_type": lambda _: "true or false",
    "tuple_type": lambda _: "a list",
    "model_type": lambda _: "a mapping",
    "dict_type": lambda _: "a mapping",
    "literal_error": lambda context: str(context["expected"]).replace("'", ""),
    "greater_than_equal": lambda context: f"at least {context['ge']}",
    "less_than_equal": lambda context: f"at most {context['le']}",
    "greater_than": lambda context: f"more than {context['gt']}",
    "less_than": lambda context: f"less than {context['lt']}",
}
"""What should stand there instead."""

_SENTENCES: dict[str, _Sentence] = {
    "missing": lambda _: "required, but missing",
    "value_error": lambda context: str(context["error"]),
    "too_short": lambda context: f"needs at least {context['min_length']}, has {context['actual_length']}",
    "too_long": lambda context: f"may have at most {context['max_length']}",
}
