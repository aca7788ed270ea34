"""What a backtest found, as people read it and as programs do. Pure: the same result gives the same text."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from remediator.backtest.decision import Decision, Result
from remediator.backtest.past import Past
from remediator.domain.value import JsonObject

_ALERTS = {
    "planned": "made a run",
    "joined": "joined the run of another alert",
    "handled": "were open on after their run",
    "shadowed": "rules in shadow match only",
    "waiting": "cleared while their rule waited",
    "settling": "came while their target settled",
    "storm": "came in a storm",
    "no_rule": "no rule matches",
    "other_cluster": "are about another cluster",
    "no_target": "mean no workload",
    "target_unknown": "mean a workload that the history does not tell",
    "began_before": "were open before the window",
    "over_before": "were over before the window, and only say which versions were well",
    "not reached": "began after the window",
}


class Part(NamedTuple):
    """Some rows under a title."""

    title: str
    rows: Sequence[tuple[str, ...]]


def parts(past: Past, rules: int, assumptions: Sequence[str], result: Result) -> Iterator[Part]:
    """Everything, from what was taken for granted to what was not known."""
    yield Part(
        f"{heading(past, rules)}; taken for granted", [(each,) for each in (*assumptions, *past.notes)]
    )
    never = never_known(result)
    for day, decisions in groupby(result.decisions, key=lambda each: each.at.date()):
        rows = [_row(each, never) for each in decisions]
        yield Part(f"{day:%Y-%m-%d %a}", rows)
    yield Part("outcomes", _counted(result.outcomes))
    yield Part("what stood against it", _counted(stopped_by(result)))
    title = f"not known, and might have stood against it; {len(never)} never are"
    yield Part(title, _counted(not_known(result)))
    disposed = Counter(each.disposition for each in result.disposed)
    yield Part("alerts", [(str(disposed[each]), said) for each, said in _ALERTS.items() if disposed[each]])


def heading(past: Past, rules: int) -> str:
    """Which rules were held against what."""
    return (
        f"{_count(rules, 'rule')} over {past.since:%Y-%m-%d %H:%M} to {past.until:%Y-%m-%d %H:%M} UTC: "
        f"{_count(len(past.alerts_within), 'alert')}, {_count(len(past.rollouts), 'version')} of "
        f"{_count(len(past.rollouts_of), 'workload')}"
    )


def stopped_by(result: Result) -> Counter[str]:
    """How many decisions each guard stopped; one that several stopped counts for each."""
    return Counter(guard for each in result.decisions for guard in each.stopped_by)


def not_known(result: Result) -> Counter[str]:
    """Of the decisions that might have been done: how often each thing was not known."""
    return Counter(name for each in result.decisions for name in each.unknown)


def never_known(result: Result) -> frozenset[str]:
    """What is not known of any decision that might have been done."""
    unknown = [frozenset(each.unknown) for each in result.decisions if each.acts]
    return frozenset.intersection(*unknown) if unknown else frozenset()


def document(past: Past, rules: int, assumptions: Sequence[str], result: Result) -> JsonObject:
    """The same for programs."""
    return {
        "from": _iso(past.since),
        "to": _iso(past.until),
        "rules": rules,
        "assumptions": [*assumptions, *past.notes],
        "decisions": [as_json(each) for each in result.decisions],
        "outcomes": _sorted(result.outcomes),
        "stopped_by": _sorted(stopped_by(result)),
        "unknown": _sorted(not_known(result)),
        "alerts": _sorted(Counter(each.disposition for each in result.disposed)),
        "storms": result.storms,
    }


def as_json(decision: Decision) -> JsonObject:
    """One decision; times as ISO 8601 in UTC."""
    fields = decision._asdict()
    for name in ("planned_at", "at"):
        fields[name] = _iso(fields[name])
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}


def did(decision: Decision) -> str:
    """What would have been done, without when and by which rule."""
    action = decision.action or "look"
    return f"{action} to {decision.to}" if decision.to else action


def _row(decision: Decision, never: frozenset[str]) -> tuple[str, ...]:
    besides = sorted({*decision.unknown} - never)
    return (
        f"{decision.at:%H:%M:%S}",
        f"{decision.rule} ({decision.mode})",
        decision.target,
        did(decision),
        outcome_of(decision) + (f" (not known either: {', '.join(besides)})" if besides else ""),
    )


def outcome_of(decision: Decision) -> str:
    """How it came out, with the reason."""
    said: str = decision.outcome
    match decision.outcome:
        case "stopped":
            return f"stopped by {decision.why}"
        case "cleared":
            said = f"{decision.alertname} cleared"
        case "open":
            said = "held at the end of the window"
        case "might ask" if decision.why:
            return f"might ask for {decision.alertname}: {decision.why}{_held(decision)}"
        case "might act" | "might ask" | "hands over":
            return f"{said} for {decision.alertname}{_held(decision)}"
    return f"{said} while held by {decision.why}" if decision.why else said


def _held(decision: Decision) -> str:
    return f", after {', '.join(decision.held_by)} held it" if decision.held_by else ""


def _counted(counts: Iterable[str] | Counter[str]) -> list[tuple[str, ...]]:
    found = Counter(counts)
    return [(str(found[name]), name) for name in sorted(found, key=lambda each: (-found[each], each))]


def _sorted(counts: Iterable[str] | Counter[str]) -> dict[str, int]:
    return dict(sorted(Counter(counts).items()))


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _iso(moment: datetime) -> str:
    return moment.isoformat()
