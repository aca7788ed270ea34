"""What the shape of a file finds wrong, in sentences that do not need pydantic to be understood."""

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from remediator.catalogue import UNDO
from remediator.domain.duration import format_duration
from remediator.rulebook.problem import Fault, YamlPath, did_you_mean, known_here, near_miss, nearest
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
        return tuple(_fault(each, root) for each in found if not _follows(each, found, root))


def _follows(error: ErrorDetails, errors: Iterable[ErrorDetails], root: type[BaseModel]) -> bool:
    """Whether it is only so because of another mistake.

    A list is too short when pydantic left out the entries that are wrong; a key is missing when it has a slip.
    """
    path, kind = error["loc"], error["type"]
    if kind == "too_short":
        return any(each["loc"][: len(path)] == path and len(each["loc"]) > len(path) for each in errors)
    return kind == "missing" and any(
        each["type"] == "extra_forbidden"
        and each["loc"][:-1] == path[:-1]
        and _meant(each["loc"], root) == path[-1]
        for each in errors
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
            path, f"expected {expected(error.get('ctx', {}))}, found {_shown(given)}", _hint(error, root)
        )
    sentence = _SENTENCES.get(kind)
    if sentence is not None:
        return Fault(path, sentence(error.get("ctx", {})))
    return Fault(path, error["msg"])


def _unknown_key(path: YamlPath, root: type[BaseModel]) -> Fault:
    known = keys_at(path[:-1], root)
    meant = _meant(path, root)
    if meant is not None:
        return Fault(path, "unknown key", did_you_mean(meant), at_key=True)
    of = next((str(piece) for piece in reversed(path[:-1]) if isinstance(piece, str)), "it")
    return Fault(path, "unknown key", known_here(known) if known else f"{of} has no fields", at_key=True)


def _meant(path: YamlPath, root: type[BaseModel]) -> str | None:
    """The key that an unknown one was probably to be."""
    known, key = keys_at(path[:-1], root), str(path[-1])
    elsewhere = _ELSEWHERE.get(key)
    return elsewhere if elsewhere in known else nearest(key, known)


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
    hint = hint or near_miss(name, known) or known_here(known)
    return Fault((*path, name), "unknown step", hint, at_key=True)


def _not_one_step(given: Any, names: list[str], known: dict[str, Any]) -> tuple[str, str]:
    if not names:
        hint = "(take the dash out)" if given is None else known_here(known)
        return f"expected the name of a step, found {_shown(given)}", hint
    why = f"an entry names one step, found {_listed(names)}"
    if given[names[0]] is None and names[0] in known:
        return why, f"(indent {_listed(names[1:])} further to belong to {names[0]})"
    return why, "(start each with a dash of its own)"


def _listed(names: list[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _shown(given: Any) -> str:
    """What stands there, as a reader of YAML would call it."""
    match given:
        case None:
            return "nothing"
        case bool():
            return str(given).lower()
        case int() | float():
            return f"the number {given}"
        case timedelta():
            return format_duration(given)
        case str():
            return repr(given if len(given) <= 60 else given[:57] + "...")
        case dict():
            return "a mapping"
        case _:
            return "a list"


def _hint(error: ErrorDetails, root: type[BaseModel]) -> str:
    given, path = error["input"], error["loc"]
    match error["type"]:
        case "string_type":
            return _to_text(path, given)
        case "int_type" | "float_type":
            return _to_number(given, whole=error["type"] == "int_type")
        case "bool_type" if isinstance(given, str) and given.lower() in _SWITCHES:
            return f"(write {_SWITCHES[given.lower()]})"
        case "literal_error" if isinstance(given, str):
            return near_miss(given, [word.strip("'") for word in _literals(error["ctx"])])
        case "tuple_type":
            return "(take it out, or give it entries)" if given is None else "(start each entry with a dash)"
        case "model_type" if isinstance(given, tuple):
            return "(without a dash)"
        case "model_type" if path:
            return known_here(keys_at(path, root))
        case _:
            return ""


def _to_text(path: YamlPath, given: Any) -> str:
    """`{alertname="X"}` without quotes is a YAML mapping of one key; say so."""
    if isinstance(given, dict) and given and all(value is None for value in given.values()):
        return "(quote it: '{" + ", ".join(given) + "}')"
    if isinstance(given, dict) and "match" in path and all(isinstance(each, str) for each in given.values()):
        return "(write '{" + ", ".join(f'{name}="{value}"' for name, value in given.items()) + "}')"
    return "" if given is None or isinstance(given, dict | tuple) else "(quote it)"


def _to_number(given: Any, *, whole: bool) -> str:
    if whole and isinstance(given, float) and given.is_integer():
        return f"(write {given:.0f})"
    if not isinstance(given, str):
        return ""
    number = _LEADING_ZEROS.sub("", given.strip().replace("_", ""))
    if _NUMBER.fullmatch(number):
        return f"(write {number} without quotes)" if number in given else f"(write {number})"
    share = number.removesuffix("%").strip()
    return f"(write {float(share) / 100:g})" if share != number and _NUMBER.fullmatch(share) else ""


def _literals(context: dict[str, Any]) -> list[str]:
    return str(context["expected"]).replace(" or ", ", ").split(", ")


def _entries(number: int) -> str:
    return "1 entry" if number == 1 else f"{number} entries"


def _has(context: dict[str, Any]) -> str:
    """How many there are; pydantic stops counting where there are too many."""
    return str(context["actual_length"] or "none" if context["actual_length"] is not None else "more")


_SWITCHES = dict.fromkeys(("yes", "on", "y"), "true") | dict.fromkeys(("no", "off", "n"), "false")
_ELSEWHERE = {"name": "rule", "alert": "rule", "for": "wait", "runbook_url": "runbook"}
"""What Prometheus, Alertmanager and others call a key of ours."""

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
    "too_short": lambda context: f"needs at least {_entries(context['min_length'])}, has {_has(context)}",
    "too_long": lambda context: f"may have at most {_entries(context['max_length'])}, has {_has(context)}",
}
