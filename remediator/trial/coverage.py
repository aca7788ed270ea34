"""What of the rules no test exercised: whole rules, rungs, and what their guards may answer."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from remediator.catalogue import ALWAYS_ON
from remediator.domain.answers import GuardAnswer, GuardVerdict
from remediator.rulebook.rule import LoadedRule
from remediator.step import Guard
from remediator.trial.seen import Seen

_SIDES = ("allowed", "refused")


@dataclass
class Coverage:
    """Gathers what tests have exercised."""

    rules: dict[str, LoadedRule] = field(default_factory=dict)
    """Those that tests are about, by name."""
    exercised: set[tuple[str, str]] = field(default_factory=set)
    """Rule and item, as `items` names them."""
    always_on: set[tuple[str, str]] = field(default_factory=set)
    """Always-on guards and what they answered."""

    def about(self, rules: Iterable[LoadedRule]) -> None:
        """Tests are about these rules, whether or not any test makes them do something."""
        self.rules |= {each.rule: each for each in rules if each.mode != "off"}

    def add(self, seen: Seen) -> None:
        """One test was played, whatever came of it."""
        self.exercised |= {(rule, "planned") for rule in seen.rules}
        self.exercised |= {(rule, f"rung {rung + 1}") for rule, rung in seen.rungs}
        for name, verdict in seen.verdicts:
            side = _side(verdict)
            if side is None:
                continue
            guard = _written(self.rules[name].guards, verdict) if name in self.rules else None
            if guard is not None:
                self.exercised.add((name, f"{_title(guard)} {side}"))
            else:
                self.always_on.add((verdict.guard, side))

    def items(self) -> Iterator[tuple[str, str]]:
        """Everything that is to be exercised."""
        for name, rule in self.rules.items():
            yield name, "planned"
            for number in range(len(rule.ladder)):
                yield name, f"rung {number + 1}"
            for guard in rule.guards:
                for side in _SIDES:
                    yield name, f"{_title(guard)} {side}"

    def missing(self) -> list[tuple[str, str]]:
        """What was never exercised, in the order of the rules."""
        return [each for each in dict.fromkeys(self.items()) if each not in self.exercised]

    def percent(self) -> int:
        """Rounded down, so that 100 means all."""
        every = set(self.items())
        return 100 * len(every & self.exercised) // len(every) if every else 100

    def never_refused(self) -> list[str]:
        """The always-on guards that these rules' actions ask and no test saw refuse; no rule has to test them."""
        actions = {
            action.key() for rule in self.rules.values() for rung in rule.ladder for action in rung.actions
        }
        asked = [
            each for each in ALWAYS_ON if actions & (each.actions if each.actions is not None else actions)
        ]
        return [each.key() for each in asked if (each.key(), "refused") not in self.always_on]


def _side(verdict: GuardVerdict) -> str | None:
    """Not knowing is neither: what makes a guard unable to tell is not the rule's."""
    match verdict.answer:
        case GuardAnswer.ALLOW:
            return "allowed"
        case GuardAnswer.REFUSE | GuardAnswer.ASK:
            return "refused"
        case _:
            return None


def _written(guards: Sequence[Guard], verdict: GuardVerdict) -> Guard | None:
    """The guard of the rule that gave it. Of several of one name, the one whose numbers it went by."""
    of_name = [each for each in guards if each.key() == verdict.guard]
    always_on = [each for each in ALWAYS_ON if each.key() == verdict.guard]
    if not of_name or len(of_name) + len(always_on) == 1:
        return of_name[0] if of_name else None
    looked_at = [str(each) for each in verdict.inputs.values()]
    best = max(
        [*of_name, *always_on],
        key=lambda guard: sum(str(each) in looked_at for each in _fields(guard).values()),
    )
    return best if best in of_name else None


def _fields(guard: Guard) -> dict[str, Any]:
    fields: dict[str, Any] = guard.model_dump(mode="json", exclude_none=True)[guard.key()]
    return fields


def _title(guard: Guard) -> str:
    """As it is written: `limit: {effects: 1, of: target, per: 6h}`."""
    fields = ", ".join(f"{name}: {value}" for name, value in sorted(_fields(guard).items()))
    return f"{guard.key()}: {{{fields}}}"
