"""What is otherwise between two rule sets over one history, fit for a pull request. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from remediator.backtest.decision import Decision, Result
from remediator.backtest.report import as_json, did, outcome_of
from remediator.domain.value import JsonObject

Sign = Literal["+", "-", "~"]


class Differing(NamedTuple):
    """One run that only one of them makes (`+` the new one, `-` the other), or that comes out otherwise (`~`)."""

    sign: Sign
    before: Decision | None
    after: Decision | None
    reason: str

    @property
    def decision(self) -> Decision:
        """The one there is; of two the new one."""
        found = self.after or self.before
        assert found is not None
        return found


def differences(before: Result, after: Result) -> Sequence[Differing]:
    """Every difference, by time. A run is the same when the same alert made it by the same rule, as often as before."""
    old, new = _by_key(before), _by_key(after)
    found = list(_found(old, new, before, after))
    return sorted(
        found, key=lambda each: (each.decision.at, each.decision.alert, each.decision.rule, each.sign)
    )


_Key = tuple[int, str, int]


def _by_key(result: Result) -> Mapping[_Key, Decision]:
    seen: dict[tuple[int, str], int] = defaultdict(int)
    found: dict[_Key, Decision] = {}
    for each in result.decisions:
        of = (each.alert, each.rule)
        found[*of, seen[of]] = each
        seen[of] += 1
    return found


def _found(
    old: Mapping[_Key, Decision], new: Mapping[_Key, Decision], before: Result, after: Result
) -> Iterator[Differing]:
    for key in sorted({*old, *new}):
        was, now = old.get(key), new.get(key)
        if was is None and now is not None:
            yield Differing("+", None, now, _instead(before, now))
        elif now is None and was is not None:
            yield Differing("-", was, None, _instead(after, was))
        elif was is not None and now is not None and (reason := _otherwise(was, now)):
            yield Differing("~", was, now, reason)


def _otherwise(was: Decision, now: Decision) -> str:
    """How one run came out before; empty when that is the same."""
    if _shown(was) != _shown(now):
        return f"was: {_shown(was)}"
    more, fewer = sorted({*now.unknown} - {*was.unknown}), sorted({*was.unknown} - {*now.unknown})
    changes = [f"not known now: {', '.join(more)}"] if more else []
    return "; ".join([*changes, f"not asked any more: {', '.join(fewer)}"] if fewer else changes)


def _instead(other: Result, decision: Decision) -> str:
    """What the other rule set makes of the alert."""
    disposed = other.disposed[decision.alert]
    runs = [each for each in other.decisions if each.alert == decision.alert]
    made = [f"{each.rule}: {did(each)}, {outcome_of(each)}" for each in runs if each.rule != decision.rule]
    if made:
        return f"instead {'; '.join(made)}"
    return f"else {decision.alertname} is {disposed.disposition.replace('_', ' ')} ({disposed.why})"


def _shown(decision: Decision) -> str:
    what = f"{decision.at:%Y-%m-%d %H:%M:%S} ({decision.mode}) {decision.target} {did(decision)}"
    return f"{what}, {outcome_of(decision)}"


def row_of(differing: Differing) -> tuple[str, ...]:
    """As a line of a table."""
    each = differing.decision
    what = (f"{each.at:%Y-%m-%d %H:%M:%S}", f"{each.rule} ({each.mode})", each.target, did(each))
    return (differing.sign, *what, f"{outcome_of(each)} [{differing.reason}]")


def json_of(differing: Differing) -> JsonObject:
    """For programs."""
    return {
        "sign": differing.sign,
        "before": as_json(differing.before) if differing.before is not None else None,
        "after": as_json(differing.after) if differing.after is not None else None,
        "reason": differing.reason,
    }
