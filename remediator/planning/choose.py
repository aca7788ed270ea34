"""Which rule gets the incident. Pure."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from remediator.domain.rule_mode import RuleMode
from remediator.domain.value import JsonObject, Value
from remediator.rulebook.rule import Rule
from remediator.store.episodes import Episode


class Bid(Value):
    """One rule that matches one open alert of the incident, with the mode it effectively has."""

    rule: Rule
    mode: RuleMode
    episode: Episode
    order: int
    """Position in the rulebook."""
    waits: timedelta
    """How much of the rule's `wait` is left; zero or less when it is over."""

    @property
    def rank(self) -> tuple[int, int, int]:
        """Lowest wins: priority, then order in the files, then the older alert."""
        return (self.rule.priority, self.order, self.episode.id)

    def told(self) -> JsonObject:
        """What is kept of it, so that the choice can be explained afterwards."""
        return {
            "rule": self.rule.rule,
            "priority": self.rule.priority,
            "mode": self.mode.effective,
            "why": self.mode.why,
            "alert": self.episode.alertname,
        }


_TOLD = 50
"""Of so many rules it is kept that they bid, and of the one whose run it is."""


def best(bids: Sequence[Bid]) -> Bid | None:
    """The bid that gets the incident: shadow rules never take the slot."""
    return min(_acting(bids), key=lambda bid: bid.rank, default=None)


def ranked(bids: Sequence[Bid]) -> list[Bid]:
    """All of them, the first to be considered first."""
    return sorted(bids, key=lambda bid: bid.rank)


def told(bids: Sequence[Bid], own: Bid) -> JsonObject:
    """What is kept of them with the run that `own` gets: of each rule its best bid, with for how many alerts it bids.

    An incident may have thousands of alerts, and what is kept is cleaned of secrets within the transaction that plans.
    """
    best_of: dict[str, Bid] = {}
    for bid in ranked(bids):
        best_of.setdefault(bid.rule.rule, bid)
    alerts = Counter(bid.rule.rule for bid in bids)
    kept = [
        each
        for number, each in enumerate(best_of.values())
        if number < _TOLD or each.rule.rule == own.rule.rule
    ]
    return {
        "bids": [{**each.told(), "alerts": alerts[each.rule.rule]} for each in kept],
        "rules_left_out": len(best_of) - len(kept),
    }


def acted_on(episodes: Sequence[Episode], bids: Sequence[Bid]) -> list[Episode]:
    """The alerts that join the run of whichever rule gets the incident: one that rules only watch is not."""
    acting = {bid.episode.id for bid in _acting(bids)}
    return [each for each in episodes if each.id in acting]


def shadows(bids: Sequence[Bid]) -> list[Bid]:
    """The shadow rules among the bids, best first; each gets a run of its own that changes nothing."""
    return [bid for bid in ranked(bids) if bid.mode.effective == "shadow"]


def _acting(bids: Sequence[Bid]) -> list[Bid]:
    return [bid for bid in bids if bid.mode.effective in ("ask", "act")]
