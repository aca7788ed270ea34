"""A run from its beginning to its end: proposed, asked about, held, given up, or taken for done."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil

from remediator.backtest.at_work import Case, Later, Moment, Place, Running
from remediator.backtest.decision import Decision, Outcome
from remediator.backtest.judge import Against, Judge, Judged, Scene, going
from remediator.backtest.ledger import Doing, Ledger
from remediator.backtest.terms import Terms, held_for
from remediator.domain.answers import Refusal
from remediator.domain.run_view import RunView
from remediator.domain.storm import Dependent
from remediator.planning.choose import Bid

UNSEEN = {
    "rollback": "rollback (consent, configuration, images)",
    "restart": "restart (consent, update strategy)",
    "scale": "scale (replicas, consent)",
    "evict_pod": "evict_pod (which pod, consent)",
}
"""What of an action itself a history does not tell."""
VERSION = "rollback (which version)"
_NOT_ASKED = Judged()
_BY_AGE = "only the age of its ReplicaSet speaks for the version to go back to"


class Runs:
    """All runs of a simulation."""

    def __init__(
        self,
        terms: Terms,
        judge: Judge,
        ledger: Ledger,
        places: Mapping[str, Place],
        later: Later,
        decided: Callable[[Decision], None],
    ) -> None:
        self._terms = terms
        self._judge = judge
        self._ledger = ledger
        self._places = places
        self._later = later
        self._decided = decided
        self._number = 0
        self._needing: dict[str, dict[int, Case]] = {}
        """Open alerts by what their targets depend on."""

    def needs(self, case: Case) -> None:
        """It is known what the target of an alert depends on."""
        for need in case.depends_on:
            self._needing.setdefault(need, {})[case.number] = case

    def no_longer_needs(self, case: Case) -> None:
        """The alert is over."""
        for need in case.depends_on:
            self._needing.get(need, {}).pop(case.number, None)

    def start(self, bid: Bid, case: Case, joining: Sequence[Case], now: datetime) -> None:
        """A run that holds its target; `case` is the alert that made it."""
        run = self._made(bid, case, now)
        run.joined = list(joining)
        for each in joining:
            each.run = run
            each.disposition = "planned" if each is case else "joined"
            each.why = f"a run of {run.rule.rule}"
        self._places[str(run.target)].last = run
        self._ledger.planned(run.doing)
        self._ask_at(run, now)

    def shadow(self, bid: Bid, case: Case, now: datetime) -> None:
        """A run that changes nothing: it is judged once."""
        run = self._made(bid, case, now)
        if not run.rule.ladder:
            self._decide(run, now, "hands over")
            return
        judged = self._judged(run, now)
        if judged.against:
            self._decide(run, now, "stopped", judged)
        else:
            self._decide(run, now, _would(run, judged), judged)

    def ask(self, run: Running, now: datetime, asks: int) -> None:
        """May it be done now?"""
        if asks != run.asks or run.ended_at is not None or run.acted:
            return
        if not run.rule.ladder:
            self._decide(run, now, "hands over")
            self.end(run, now)
            return
        judged = self._judged(run, now)
        if run.cleared:
            self._decide(run, now, "cleared", judged)
            self.end(run, now)
        elif not judged.against:
            self._act(run, judged, now)
        else:
            self._hold_or_stop(run, judged, now)

    def one_cleared(self, run: Running, now: datetime) -> None:
        """An alert of the run is over; when it was the last one, a run that is held notices when it asks next."""
        if run.cleared and run.ended_at is None and not run.acted:
            self._ask_at(run, self._next_look(run, now))

    def end(self, run: Running, now: datetime) -> None:
        """It no longer holds its target."""
        run.ended_at = now

    def still_open(self, until: datetime) -> None:
        """Runs that were held when the history ended."""
        for place in self._places.values():
            run = place.last
            if run is not None and run.ended_at is None and not run.acted and run.rule.ladder:
                self._decide(run, until, "open", self._judged(run, until))

    def _made(self, bid: Bid, case: Case, now: datetime) -> Running:
        assert case.target is not None
        self._number += 1
        rule = bid.rule
        action = rule.ladder[0].actions[0].key() if rule.ladder else ""
        view = RunView(
            run_id=self._number,
            rule=rule.rule,
            mode=bid.mode.effective,
            target=case.target,
            alert=bid.episode.trigger,
            created_at=now,
            depends_on=case.depends_on,
        )
        doing = Doing(self._number, rule.rule, case.target, now, action)
        return Running(self._number, rule, bid.mode.effective, case, case.target, now, doing, view)

    def _judged(self, run: Running, now: datetime) -> Judged:
        """What the action itself and all guards say."""
        scene = self._scene(run, now)
        action = run.rule.ladder[0].actions[0]
        if not run.proposed:
            run.proposed = True
            way = self._judge.propose(action, scene)
            if isinstance(way, Refusal) and not way.passing:
                return Judged((Against(action.key(), way.why, False, None),))
            run.way = None if isinstance(way, Refusal) else way
            run.way_unknown = isinstance(way, Refusal)
            run.doing = going(run.doing, run.way)
            scene = self._scene(run, now)
        judged = self._judge.ask(run.rule, scene)
        asks = (*judged.asks, *([_BY_AGE] if run.way is not None and run.way.by_age else []))
        unknown = {*judged.unknown, UNSEEN.get(action.key(), action.key())}
        if run.way_unknown:
            unknown.add(VERSION)
        return Judged(judged.against, asks, tuple(sorted(unknown)))

    def _scene(self, run: Running, now: datetime) -> Scene:
        place = self._places[str(run.target)]
        return Scene(
            run=run.view,
            doing=run.doing,
            now=now,
            hold_of_rule=run.case.alert.hold,
            spans=lambda: place.spans(run.case.alert.name, now),
            beside=place.open_alerts,
            dependents=lambda together: list(self._dependents(run, together, now)),
        )

    def _dependents(self, run: Running, together: timedelta, now: datetime) -> Iterator[Dependent]:
        """Other targets that need what this one needs and began to fire together with it, each by its first alert."""
        here = [each for each in self._places[str(run.target)].open.values() if each.rules]
        earliest = max((each.alert.starts_at for each in here), default=now) - together
        found: dict[str, Case] = {}
        for need in run.case.depends_on:
            for each in self._needing.get(need, {}).values():
                if each.target != run.target and each.alert.starts_at > earliest:
                    first = found.setdefault(str(each.target), each)
                    if each.alert.starts_at < first.alert.starts_at:
                        found[str(each.target)] = each
        for target, case in sorted(found.items()):
            shared = tuple(need for need in run.case.depends_on if need in case.depends_on)
            yield Dependent(
                target=target, alertname=case.alert.name, starts_at=case.alert.starts_at, shared=shared
            )

    def _act(self, run: Running, judged: Judged, now: datetime) -> None:
        run.acted = True
        settled_at = now + held_for(run.rule)
        self._ledger.acted(run.doing, now, settled_at)
        self._decide(run, now, _would(run, judged), judged)
        self._later(settled_at, Moment.RUN_ENDS, run, 0)

    def _hold_or_stop(self, run: Running, judged: Judged, now: datetime) -> None:
        waited = now - run.planned_at
        if any(not each.passing for each in judged.against) or waited > self._terms.give_up_holding_after:
            self._decide(run, now, "stopped", judged)
            self.end(run, now)
            return
        run.held_by.update(dict.fromkeys(each.guard for each in judged.against))
        free_at = max((each.free_at or now for each in judged.against), default=now)
        given_up_at = run.planned_at + self._terms.give_up_holding_after + timedelta(microseconds=1)
        self._ask_at(run, self._next_look(run, min(max(free_at, now), given_up_at), after=now))

    def _next_look(self, run: Running, at: datetime, after: datetime | None = None) -> datetime:
        """The first moment at or after `at` at which the daemon would ask again: every `hold` from the beginning."""
        looks = ceil((at - run.planned_at) / self._terms.hold)
        look = run.planned_at + looks * self._terms.hold
        return look if after is None or look > after else look + self._terms.hold

    def _ask_at(self, run: Running, at: datetime) -> None:
        run.asks += 1
        self._later(at, Moment.ASKS, run, run.asks)

    def _decide(self, run: Running, now: datetime, outcome: Outcome, judged: Judged = _NOT_ASKED) -> None:
        acts = outcome in ("might act", "might ask")
        lasting = [each for each in judged.against if not each.passing]
        why = [f"{each.guard}: {each.why}" for each in (lasting or judged.against)]
        against = tuple(dict.fromkeys(each.guard for each in judged.against))
        self._decided(
            Decision(
                alert=run.case.number,
                alertname=run.case.alert.name,
                fingerprint=run.view.the_alert.fingerprint,
                rule=run.rule.rule,
                mode=run.mode,
                target=str(run.target),
                action=run.doing.action,
                planned_at=run.planned_at,
                at=now,
                outcome=outcome,
                to=run.way.to_title if run.way is not None else "",
                why="; ".join(judged.asks if acts else why),
                stopped_by=against if outcome in ("stopped", "cleared", "open") else (),
                held_by=tuple(run.held_by) if acts else (),
                unknown=judged.unknown if acts else (),
            )
        )


def _would(run: Running, judged: Judged) -> Outcome:
    return "might ask" if run.mode == "ask" or judged.asks else "might act"
