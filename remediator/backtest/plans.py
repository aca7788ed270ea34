"""From an open alert to a run, or to why there is none: what `planning/planner` does, without database and cluster."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from remediator.backtest.at_work import Case, Later, Moment, Place
from remediator.backtest.runs import Runs
from remediator.backtest.storms import StormCount
from remediator.backtest.terms import HEARD_AGAIN, Terms
from remediator.domain.duration import format_duration
from remediator.domain.rule_mode import RuleMode
from remediator.domain.storm import Storm
from remediator.planning.choose import Bid, acted_on, best, shadows
from remediator.rulebook.match import Matching
from remediator.store.episodes import Episode

_NOW = timedelta(0)
_HEARD_AGAIN = -1
"""Instead of the number of a planning: the alert was sent again."""


class Plans:
    """Plans one alert at a time."""

    def __init__(
        self,
        terms: Terms,
        matching: Matching,
        storms: StormCount,
        places: Mapping[str, Place],
        runs: Runs,
        later: Later,
    ) -> None:
        self._terms = terms
        self._matching = matching
        self._storms = storms
        self._places = places
        self._runs = runs
        self._later = later
        self._modes: dict[str, RuleMode] = {}

    def opened(self, case: Case, now: datetime) -> None:
        """An alert that rules match, with a target: it is planned at once, and whenever it is heard of again."""
        self._due(case, now)
        self._hear_again(case, now)

    def plan(self, case: Case, now: datetime, number: int) -> None:
        """Plan an alert, unless it is over or this was not asked for last."""
        if number == _HEARD_AGAIN:
            self._hear_again(case, now)
        if not case.is_open or (case.pending if number == _HEARD_AGAIN else number != case.plannings):
            return
        case.pending = False
        self._plan(case, self._places[str(case.target)], now)

    def _plan(self, case: Case, place: Place, now: datetime) -> None:
        """In the planner's own order, whatever it looks like."""
        bids = self._bids(case, now)
        acts = best(bids) is not None
        storm = self._place(case, now, acting=acts)
        beside = _waiting_beside(place, case) if acts else {}
        rivals = [bid for each in beside.values() for bid in self._bids(each, now)]
        winner = best([*bids, *rivals])
        held = winner is not None and self._held(case, place, now)
        if storm is not None and not held:
            self._record(case, "storm", storm.why, storm.ends_at)
            return
        for bid in shadows(bids):
            self._shadow(bid, case, place, now)
        if held:
            return
        if winner is None:
            self._only_shadow(case, bids, now)
        elif winner.waits > _NOW:
            waits = format_duration(winner.rule.wait)
            why = f"{winner.rule.rule} waits {waits} to see whether it clears by itself"
            self._record(case, "waiting", why, now + winner.waits)
        else:
            known = {case.number: case} | beside
            joining = [case, *(beside[each.id] for each in acted_on(_episodes(beside.values()), rivals))]
            self._runs.start(winner, known[winner.episode.id], joining, now)

    def _bids(self, case: Case, now: datetime) -> list[Bid]:
        if case.episode is None:
            return []
        return [
            Bid(
                rule=rule,
                mode=self._mode(case, rule.rule),
                episode=case.episode,
                order=self._matching.order_of(rule),
                waits=case.alert.received_at + rule.wait - now,
            )
            for rule in case.rules
        ]

    def _mode(self, case: Case, name: str) -> RuleMode:
        known = self._modes.get(name)
        if known is None:
            rule = next(each for each in case.rules if each.rule == name)
            known = self._modes[name] = self._terms.mode_of(rule)
        return known

    def _place(self, case: Case, now: datetime, *, acting: bool) -> Storm | None:
        """Count its target for storms; the one that keeps it from being planned."""
        assert case.target is not None
        case.placed = True
        self._runs.needs(case)
        if acting and not case.acting:
            case.acting = True
            self._storms.placed(case.number, case.target, case.alert.received_at, now)
        return self._storms.covering(case.target, now)

    def _held(self, case: Case, place: Place, now: datetime) -> bool:
        """Whether a run holds the target, or it has to settle after one; recorded here when it is so."""
        last = place.last
        if last is None:
            return False
        if last.ended_at is None:
            if case.run is not last:
                case.run = last
                last.joined.append(case)
                self._record(case, "joined", f"a run of {last.rule.rule} is already at work")
            return True
        settled_at = last.ended_at + self._terms.settle
        if settled_at <= now:
            return False
        if case.run is last:
            self._record(case, "handled", f"a run of {last.rule.rule} dealt with it")
        else:
            self._record(case, "settling", f"a run of {last.rule.rule} ended just before", settled_at)
        return True

    def _shadow(self, bid: Bid, case: Case, place: Place, now: datetime) -> None:
        """Each shadow rule gets a run of its own, at most once per `settle` on a target."""
        last = place.shadows.get(bid.rule.rule)
        if bid.waits <= _NOW and (last is None or last + self._terms.settle <= now):
            self._runs.shadow(bid, case, now)
            place.shadows[bid.rule.rule] = now

    def _only_shadow(self, case: Case, bids: list[Bid], now: datetime) -> None:
        waits = [bid.waits for bid in shadows(bids) if bid.waits > _NOW]
        names = ", ".join(bid.rule.rule for bid in shadows(bids))
        again_at = now + min(waits) if waits else None
        self._record(case, "shadowed", f"only rules in shadow match it: {names}", again_at)

    def _record(self, case: Case, disposition: str, why: str, again_at: datetime | None = None) -> None:
        case.disposition, case.why = disposition, why
        if again_at is not None:
            self._due(case, again_at)

    def _due(self, case: Case, at: datetime) -> None:
        case.plannings += 1
        case.pending = True
        self._later(at, Moment.PLANS, case, case.plannings)

    def _hear_again(self, case: Case, now: datetime) -> None:
        again_at = now + HEARD_AGAIN
        if case.alert.ends_at is None or case.alert.ends_at > again_at:
            self._later(again_at, Moment.PLANS, case, _HEARD_AGAIN)


def _waiting_beside(place: Place, case: Case) -> dict[int, Case]:
    """The other open alerts of the target that no run has taken up yet."""
    return {
        number: each
        for number, each in place.open.items()
        if each is not case and each.placed and each.run is None
    }


def _episodes(cases: Iterable[Case]) -> list[Episode]:
    return [each.episode for each in cases if each.episode is not None]
