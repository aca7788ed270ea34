"""`remediator rules explain`: what rule files make of one alert, without a daemon and without a cluster."""

import argparse
import inspect
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remediator.cli.commands import Commands
from remediator.cli.output import print_json, print_section
from remediator.errors import Permanent
from remediator.incidents.printable import printable

if TYPE_CHECKING:
    from remediator.planning.targets.subject import Subject
    from remediator.rulebook.explain import Look
    from remediator.rulebook.load import Rulebook
    from remediator.rulebook.rule import LoadedRule, RuleTarget
    from remediator.step import Guard, Step

_NEAREST = 5
_MOST_BYTES = 1 << 20
_NAME, _TEXT = 60, 200
"""Characters of a name and of what is said about it; --output json has all of them."""


def add_commands(under: Commands) -> None:
    """Add it under `rules`."""
    explain = under.add_parser(
        "explain",
        help="say which rules an alert matches, why not the others, and what would be asked before acting",
        description="Needs no daemon and no cluster: what only those know is named, not guessed. "
        "The file holds an alert's labels, or a message of Alertmanager's webhook, as YAML or JSON. "
        "Exit status: 0 some rule matches, 1 none does, 2 wrong usage.",
    )
    explain.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="rule files or directories of them"
    )
    explain.add_argument(
        "--alert", required=True, metavar="FILE", help="the alert; - reads it from standard input"
    )
    explain.add_argument(
        "--all", action="store_true", help=f"tell of all rules, not only of the {_NEAREST} nearest"
    )
    explain.add_argument(
        "--config.file",
        dest="config",
        type=Path,
        metavar="FILE",
        help="remediator.yml, for the limits of guards that are always asked",
    )
    explain.add_argument("--output", choices=["text", "json"], default="text", help="json is for programs")
    explain.set_defaults(run=_explain)


def _explain(args: argparse.Namespace) -> int:
    # Here, not above: the steps behind it take a third of a second to import.
    from remediator.catalogue import always_on
    from remediator.rulebook.explain import look_at
    from remediator.rulebook.load import load
    from remediator.settings.load import load_settings

    rulebook = load(args.paths)
    guards = always_on(load_settings(args.config, {}, {}))
    told = []
    for labels in _alerts(args.alert):
        looks = look_at(rulebook, labels)
        told.append(_told(rulebook, labels, looks if args.all else _near(looks), guards))
    if args.output == "json":
        print_json({"alerts": told})
    else:
        for each in told:
            _print(each)
    return 0 if any(each["matching"] for each in told) else 1


def _near(looks: "Sequence[Look]") -> "tuple[Look, ...]":
    matching = [each for each in looks if each.matches]
    return (*matching, *looks[len(matching) :][:_NEAREST])


def _alerts(name: str) -> Iterator[Mapping[str, str]]:
    """The labels of each alert in the file. Raises Permanent."""
    import yaml

    try:
        raw = sys.stdin.read(_MOST_BYTES + 1) if name == "-" else Path(name).read_text("utf-8")
        if len(raw) > _MOST_BYTES:
            raise Permanent(f"{name} has more than {_MOST_BYTES:,} characters: that is no alert")
        # Every label is a string, `yes` and `1.10` as well.
        content = yaml.load(raw, Loader=yaml.BaseLoader)  # noqa: S506 -- safe: it makes nothing but strings
    except (OSError, UnicodeDecodeError) as reason:
        raise Permanent(f"{name} cannot be read: {reason}") from reason
    except yaml.YAMLError as reason:
        raise Permanent(f"{name} is neither YAML nor JSON: {reason}") from reason
    for each in _entries(content):
        labels = each.get("labels", each) if isinstance(each, Mapping) else None
        if not isinstance(labels, Mapping) or not labels:
            raise Permanent(f"{name} holds no labels: write `labels: {{alertname: ...}}`")
        yield {str(label): str(value) for label, value in labels.items()}


def _entries(content: Any) -> Sequence[Any]:
    """A webhook message has alerts, an example beside the rules an alert, anything else is one."""
    if not isinstance(content, Mapping):
        return [content]
    alerts = content.get("alerts")
    return alerts if isinstance(alerts, list) else [content.get("alert", content)]


def _told(
    rulebook: "Rulebook", labels: Mapping[str, str], looks: "Sequence[Look]", always_on: "Sequence[Guard]"
) -> dict[str, Any]:
    from remediator.rulebook.match import Matching

    matching = [each.rule for each in looks if each.matches and each.rule.mode != "off"]
    target = _target(labels, Matching(rulebook).targets_for(labels))
    first = next(
        (each for each in matching if each.mode in ("ask", "act")), matching[0] if matching else None
    )
    return {
        "labels": dict(labels),
        "matching": [_matched(each, first) for each in looks if each.matches],
        "others": [
            {"rule": each.rule.rule, "where": each.where, "why_not": each.why_not}
            for each in looks
            if not each.matches
        ],
        "target": target,
        "steps": list(_steps(first)) if first is not None else [],
        "guards": list(_guards(first, always_on)) if first is not None else [],
        "to_act": list(_to_act(first, target)) if first is not None else [],
    }


def _matched(look: "Look", first: "LoadedRule | None") -> dict[str, Any]:
    rule = look.rule
    if rule.mode == "off":
        part = "is off: it does nothing"
    elif rule.mode == "shadow":
        part = "goes through all of it beside the others and changes nothing"
    elif first is not None and rule.rule == first.rule:
        part = "goes first: the run is its own"
    else:
        part = f"joins the run of {first.rule if first is not None else 'another rule'}"
    fields = {"mode": rule.mode, "priority": rule.priority, "digest": rule.digest}
    return {"rule": rule.rule, "where": look.where, "part": part, **fields}


def _target(labels: Mapping[str, str], entries: "Sequence[RuleTarget]") -> str:
    from remediator.domain.answers import Refusal
    from remediator.planning.targets.subject import subject_of

    subject = subject_of(labels)
    if isinstance(subject, Refusal):
        return f"none: {subject.why}"
    named = sorted({each.target for each in entries})
    if len(named) > 1:
        return f"none: two candidates: entries of targets: say {' and '.join(named)}"
    if named:
        return _by_entry(named[0], subject)
    if not subject.names_an_object():
        return "none: its labels name no workload, and no entry of targets: matches it"
    if subject.namespace is None:
        return "none: its labels name something, but no namespace, and none is ever assumed"
    return (
        f"to be found in namespace {subject.namespace} by {_names(subject)}: which workload that is, only the "
        "cluster knows"
    )


def _by_entry(target: str, subject: "Subject") -> str:
    """What an entry says, and that labels which name something have to lead to the same; as planning has it."""
    from remediator.planning.targets.subject import OF_A_METRIC

    said = f"an entry of targets: says {target}"
    kind, namespace, name = target.split("/")
    if not subject.names_an_object():
        return said
    labelled = " ".join(subject.workload) if subject.workload is not None else ""
    if subject.workload not in (None, (kind, name)) or (
        labelled and subject.namespace not in (None, namespace)
    ):
        within = f" in namespace {subject.namespace}" if subject.namespace is not None else ""
        return f"none: two candidates: {said}; but its labels name {labelled}{within}"
    if subject.namespace is None or not any(
        each in subject.named for each in (*OF_A_METRIC, "pod", "service")
    ):
        return said
    there = f"{_names(subject)} in namespace {subject.namespace}"
    return f"{said}; {there} must lead there too, which only the cluster knows"


def _names(subject: "Subject") -> str:
    labelled = dict([subject.workload] if subject.workload else []) | dict(subject.named)
    return ", ".join(f"{label} {value}" for label, value in labelled.items())


def _steps(rule: "LoadedRule") -> Iterator[dict[str, str]]:
    from remediator.domain.duration import format_duration

    if rule.wait:
        yield {"stage": "wait", "step": format_duration(rule.wait)}
    for each in rule.diagnostics:
        yield {"stage": "look", "step": _written(each)}
    for number, rung in enumerate(rule.ladder, 1):
        of = f" {number}" if len(rule.ladder) > 1 else ""
        for action in rung.actions:
            yield {"stage": f"change{of}", "step": _written(action)}
        for verification in rung.verifications:
            yield {"stage": f"verify{of}", "step": _written(verification)}
    named = ", ".join(rule.otherwise.hand_over)
    yield {"stage": "otherwise", "step": f"hand_over: {named}" if named else "hand_over"}


def _written(step: "Step") -> str:
    """The step as a rule file says it, without what it has by default."""
    fields = step.model_dump(mode="json", exclude_defaults=True)[step.key()]
    return step.key() if not fields else f"{step.key()}: {json.dumps(fields, ensure_ascii=False)}"


def _with_limits(guard: "Guard") -> str:
    """The guard with every number it goes by."""
    fields = guard.model_dump(mode="json", exclude_none=True)[guard.key()]
    return guard.key() if not fields else f"{guard.key()}: {json.dumps(fields, ensure_ascii=False)}"


def _guards(rule: "LoadedRule", always_on: "Sequence[Guard]") -> Iterator[dict[str, str]]:
    acts = {each.key() for rung in rule.ladder for each in rung.actions}
    for given_by, guards in (("rule", rule.guards), ("always", always_on if acts else ())):
        for guard in guards:
            if guard.actions is None or acts & guard.actions:
                yield {"guard": _with_limits(guard), "what": _first_sentence(guard), "given_by": given_by}


def _first_sentence(guard: "Guard") -> str:
    described = inspect.getdoc(type(guard)) or ""
    return " ".join(described.partition("\n\n")[0].split())


def _to_act(rule: "LoadedRule", target: str) -> Iterator[str]:
    from remediator.workloads.consent import COMPATIBLE, ENABLED

    if not rule.ladder:
        yield "the rule has no actions: it only looks and hands over"
        return
    if target.startswith("none"):
        yield "the alert must lead to one workload: by its labels, or by an entry under targets:"
    if rule.mode == "ask":
        yield "a person must agree to each change: the rule is in mode ask"
    if rule.mode == "shadow":
        yield "the rule is in mode shadow: write `mode: ask` or `mode: act`"
    yield f"its version {rule.digest} must have been approved (`remediator rules approve`) or be past its probation"
    yield "no ceiling of the daemon or of the namespace may be lower"
    yield f"the namespace must be labelled {ENABLED}=true, and a StatefulSet or DaemonSet itself as well"
    if any(each.key() == "rollback" for rung in rule.ladder for each in rung.actions):
        yield f"without {COMPATIBLE}=compatible on the workload a person is asked before a rollback"
    yield "every guard below must allow it"


def _print(told: Mapping[str, Any]) -> None:
    shown = ", ".join(
        f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in told["labels"].items()
    )
    print(printable(f"alert {{{shown}}}"))
    matching = [(each["rule"], _of_rule(each)) for each in told["matching"]]
    others = [(each["rule"], f"{'; '.join(each['why_not'])} ({each['where']})") for each in told["others"]]
    _section("rules", matching or [("none", "no rule matches it")])
    _section("not", others)
    _section("target", [(told["target"],)])
    _section("steps", [(each["stage"], each["step"]) for each in told["steps"]])
    _section("for it to act", [(each,) for each in told["to_act"]])
    print_section("guards", [(each["guard"], _short(each["what"], _TEXT)) for each in told["guards"]])


def _of_rule(rule: Mapping[str, Any]) -> str:
    return f"{rule['part']} (mode {rule['mode']}, priority {rule['priority']}, {rule['where']})"


def _section(title: str, rows: Sequence[tuple[str, ...]]) -> None:
    print_section(
        title, [(*(_short(each, _NAME) for each in row[:-1]), _short(row[-1], _TEXT)) for row in rows]
    )


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
