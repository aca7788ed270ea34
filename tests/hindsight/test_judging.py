"""How single facts are judged: what nobody can know, intervals, waits, and what a rule has earned."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import sqrt

import pytest

from remediator.domain.confidence import Share, share
from remediator.domain.target import Target
from remediator.hindsight.changes import deeds
from remediator.hindsight.earned import promotion
from remediator.hindsight.fate import Fate, Sequel, fate_of
from remediator.hindsight.rule_report import Hindsight, rule_report
from remediator.hindsight.waits import self_healing
from remediator.rulebook.rule import Rule
from remediator.settings.sections import EarnsAct, EarnsAsk, Shadow
from remediator.store.shadow_runs import ShadowRun, Wanted, WatchedTenure
from tests.support.clock import START as NOON

API = Target(cluster="default", kind="deployment", namespace="shop", name="api")
BLIND = timedelta(minutes=1)
ROLLBACK = Wanted(from_revision="bad", to_revision="good")
RESTART = Wanted(from_revision="bad", to_revision="bad")
RUN = ShadowRun(
    id=1,
    rule="bad-release",
    target=API,
    incident_id=1,
    episode_id=1,
    received_at=NOON,
    decided_at=NOON,
    cleared_at=NOON + timedelta(minutes=20),
    open=False,
    wanted=ROLLBACK,
    stopped_by=(),
    asks=False,
    more_alerts=0,
    more_ended_at=None,
    own_effects=0,
)


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def tenure(
    revision: str,
    since: float,
    until: float,
    *,
    began: float | None = None,
    restarts: tuple[float, ...] = (),
    unseen: tuple[tuple[float, float], ...] = (),
) -> WatchedTenure:
    """Minutes from noon on; a tenure began when it was first watched, unless that is said."""
    return WatchedTenure(
        target=API,
        revision=revision,
        began_at=after(since if began is None else began),
        since=after(since),
        until=after(until),
        unseen=tuple((after(begin), after(end)) for begin, end in unseen),
        restarts=tuple(after(each) for each in restarts),
    )


def judged(run: ShadowRun, *tenures: WatchedTenure, now: float = 600) -> Fate:
    return fate_of(run, tenures, after(now), timedelta(minutes=30), BLIND)


BAD = tenure("bad", -60, 600)
UNKNOWN = {
    "whether people scaled it or evicted a pod by hand is not known": {
        "wanted": Wanted(from_revision="replicas/3", to_revision="replicas/5")
    },
    "its alert is not remembered": {"episode_id": None},
    "its alert is still open": {"open": True, "cleared_at": None},
    "when its alert ended is not known": {"cleared_at": None},
    "remediator itself changed it": {"own_effects": 1},
}


@pytest.mark.parametrize(("why", "changed"), UNKNOWN.items(), ids=list(UNKNOWN))
def test_what_nobody_can_know_is_unknown_with_the_reason(why: str, changed: dict[str, object]) -> None:
    assert judged(RUN, BAD).sequel == "alone"
    assert judged(RUN.model_copy(update=changed), BAD) == Fate(sequel=Sequel.UNKNOWN, why=why)


def test_what_happened_while_nobody_looked_is_unknown() -> None:
    unknown = Fate(sequel=Sequel.UNKNOWN, why="the memory did not look all the time")
    assert judged(RUN) == judged(RUN, tenure("bad", -60, 5), tenure("good", 9, 60)) == unknown


def test_before_the_window_is_over_nothing_is_known() -> None:
    assert judged(RUN, BAD, now=29.9).why == "the window is not over"
    assert judged(RUN, BAD, now=30).sequel == "alone"


SEEN = {
    "all the time": ([tenure("bad", -60, 600)], True),
    "until just before the end": ([tenure("bad", -60, 19.5)], True),
    "from just after the decision on": ([tenure("bad", 0.5, 30)], True),
    "by two tenures": ([tenure("bad", -60, 10), tenure("good", 10.5, 30)], True),
    "not at all": ([], False),
    "by the version before only": ([tenure("bad", -60, 600).model_copy(update={"since": None})], False),
    "until long before the end": ([tenure("bad", -60, 18)], False),
    "from long after the decision on": ([tenure("bad", 2, 30)], False),
    "before the decision only": ([tenure("bad", -60, -0.5)], False),
    "not between two tenures": ([tenure("bad", -60, 10), tenure("good", 12, 30)], False),
    "not for a while": ([tenure("bad", -60, 30, unseen=((5, 8),))], False),
    "not for a while long before": ([tenure("bad", -60, 30, unseen=((-20, -10),))], True),
    "a restart seen just after the end": ([tenure("bad", -60, 60, restarts=(20.5,))], False),
    "a restart seen a while after the end": ([tenure("bad", -60, 60, restarts=(21,))], True),
    "not for a while after the end": ([tenure("bad", -60, 60, unseen=((25, 50),))], True),
}


@pytest.mark.parametrize(("tenures", "known"), SEEN.values(), ids=list(SEEN))
def test_changes_are_known_where_the_memory_looked_from_the_decision_to_the_end(
    tenures: list[WatchedTenure], known: bool
) -> None:
    assert (deeds(tenures, NOON, after(20), BLIND) is not None) is known


DONE = {
    "the version it wanted": (ROLLBACK, [tenure("good", 5, 60)], "same"),
    "another version": (ROLLBACK, [tenure("fixed", 5, 60)], "something_else"),
    "the version it wanted, restarted": (ROLLBACK, [tenure("good", 5, 60, restarts=(8,))], "same"),
    "another version, then the one it wanted": (
        ROLLBACK,
        [tenure("fixed", 5, 8), tenure("good", 8, 60)],
        "same",
    ),
    "the one it wanted, then another": (
        ROLLBACK,
        [tenure("good", 5, 8), tenure("fixed", 8, 60)],
        "something_else",
    ),
    "after the end": (ROLLBACK, [tenure("bad", 5, 22), tenure("good", 22, 60)], "alone"),
    "another version for a restart": (RESTART, [tenure("fixed", 5, 60)], "something_else"),
    "a restart of another version": (RESTART, [tenure("fixed", 5, 60, restarts=(8,))], "something_else"),
    "nothing to compare with": (None, [tenure("good", 5, 60)], "something_else"),
}


@pytest.mark.parametrize(("wanted", "later", "outcome"), DONE.values(), ids=list(DONE))
def test_what_people_did_last_before_the_end_is_held_against_the_plan(
    wanted: Wanted | None, later: list[WatchedTenure], outcome: str
) -> None:
    run = RUN.model_copy(update={"wanted": wanted})
    assert judged(run, tenure("bad", -60, 5), *later).sequel == outcome


def test_restarts_are_told_from_none() -> None:
    restarts = RUN.model_copy(update={"wanted": RESTART})
    assert judged(restarts, tenure("bad", -60, 60, restarts=(5,))).sequel == "same"
    assert judged(restarts, tenure("bad", -60, 60, restarts=(-5, 25))).sequel == "alone"
    assert judged(RUN, tenure("bad", -60, 60, restarts=(5,))).sequel == "something_else"


def test_a_version_that_the_plan_found_and_the_memory_saw_a_moment_later_is_no_change() -> None:
    assert judged(RUN, tenure("older", -60, -0.1), tenure("bad", 0.1, 60)).sequel == "alone"
    gone_and_back = (tenure("bad", -60, 5), tenure("fixed", 5, 8), tenure("bad", 8, 60))
    assert judged(RUN, *gone_and_back).sequel == "something_else"


def test_more_alerts_are_worse_unless_people_changed_it() -> None:
    more = RUN.model_copy(update={"more_alerts": 2})
    assert judged(more, BAD).sequel == "worse"
    assert judged(more, tenure("bad", -60, 5), tenure("good", 5, 60)).sequel == "same"


def test_an_alert_that_was_over_before_the_decision_healed_alone() -> None:
    assert judged(RUN.model_copy(update={"cleared_at": after(-1)}), BAD).sequel == "alone"


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [
        (0, 0, 0.0, 1.0),
        (0, 1, 0.0, 0.793450685622763),  # z^2 / (1 + z^2)
        (1, 1, 0.206549314377237, 1.0),  # 1 / (1 + z^2)
        (0, 10, 0.0, 0.277532799862889),
        (5, 10, 0.236593090512564, 0.763406909487436),
        (
            81,
            263,
            0.255286,
            0.366224,
        ),  # E. B. Wilson's interval in Newcombe, Statistics in Medicine 17 (1998), table I
    ],
)
def test_the_interval_is_wilsons(right: int, of: int, low: float, high: float) -> None:
    found = share(right, of)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize("right", range(21))
def test_both_ends_are_where_the_share_that_was_counted_is_just_possible(right: int) -> None:
    """What defines the interval: its ends are those p for which (counted - p) is z standard errors."""
    found = share(right, 20)
    for end in {found.low, found.high} - {0.0, 1.0}:
        assert abs(right / 20 - end) == pytest.approx(1.959964 * sqrt(end * (1 - end) / 20), abs=1e-6)


def test_waits_are_read_from_times_that_were_seen() -> None:
    assert self_healing([]) is None
    ten = self_healing([timedelta(seconds=each) for each in (10, 20, 30, 40, 50, 60, 70, 80, 95, 500)])
    assert ten is not None
    assert (ten.p50_seconds, ten.p90_seconds, ten.p99_seconds, ten.suggested_wait) == (50, 95, 500, "2m")
    few = self_healing([timedelta(seconds=10)] * 9)
    assert few is not None
    assert few.suggested_wait is None, "nine say nothing of nine in ten"
    long = self_healing([timedelta(days=2)] * 10)
    assert long is not None
    assert long.suggested_wait is None


def earns(right: int, of: int, harmed: int = 0, **thresholds: EarnsAsk) -> str:
    return promotion(share(right, of), harmed, Shadow.model_validate(thresholds)).earned


def test_the_lower_end_of_the_interval_decides_what_is_earned() -> None:
    assert earns(0, 0) == "nothing"
    assert earns(9, 9) == "nothing", "ten decisions are asked for"
    assert earns(8, 10) == "nothing", "0.80, and 0.49 at its lower end"
    assert earns(9, 10) == "ask"
    assert earns(34, 34) == "ask", "34 / 37.84 is 0.8985"
    assert earns(35, 35) == "act", "35 / 38.84 is 0.9011"
    assert earns(35, 35, harmed=1) == "ask"


def test_thresholds_move_what_is_earned() -> None:
    assert earns(8, 10, ask=EarnsAsk(precision=0.49)) == "ask"
    assert earns(9, 10, ask=EarnsAsk(decisions=11)) == "nothing"
    assert earns(9, 10, harmed=2, ask=EarnsAsk(harmed=1)) == "nothing"
    assert earns(20, 20, act=EarnsAct(precision=0.8)) == "act"
    assert earns(35, 35, harmed=1, act=EarnsAct(harmed=1)) == "act"
    assert earns(35, 35, act=EarnsAct(decisions=36)) == "ask"


def test_nothing_of_nothing_is_no_share() -> None:
    assert share(0, 0).value is None
    assert Share(right=1, of=2, low=0, high=1).value == 0.5


RULE = Rule.model_validate(
    {
        "rule": "bad-release",
        "match": ['{alertname="Slow"}'],
        "actions": ["rollback"],
        "verifications": [
            {"rollout_complete": {"within": "5m"}},
            {"alert_cleared": {"for": "5m", "within": "25m"}},
        ],
    }
)


def harmed(*runs: ShadowRun, verified: Sequence[float] = ()) -> int:
    """How many of these would have been harmed, of a workload that nobody changed."""
    hindsight = Hindsight(after(600), {API: [BAD]}, Shadow(), BLIND)
    took = [timedelta(minutes=each) for each in verified]
    return rule_report(RULE, runs, took, 0, hindsight).harmed


def test_what_ended_alone_before_it_would_have_been_verified_would_have_been_harmed() -> None:
    assert harmed(RUN) == 1, "verified within 25 and 5 minutes; over after 20"
    assert harmed(RUN.model_copy(update={"cleared_at": after(30)})) == 0
    assert harmed(RUN, verified=(1, 21, 60)) == 1, "usually after 21"
    assert harmed(RUN, verified=(1, 20, 60)) == 0


def test_more_alerts_that_were_over_as_soon_make_a_needless_change_no_better() -> None:
    worse = RUN.model_copy(update={"more_alerts": 1})
    assert harmed(worse.model_copy(update={"more_ended_at": after(25)})) == 1
    assert harmed(worse.model_copy(update={"more_ended_at": after(31)})) == 0
    assert harmed(worse) == 0, "one of them is open"
