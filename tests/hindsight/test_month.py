"""A scripted month whose right report was computed by hand."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from remediator.rulebook.rule import Rule
from tests.hindsight.month import FIXED, GOOD, MINUTE, Incident, Month, day
from tests.support.clock import DrivenClock
from tests.support.people import people
from tests.support.story import Story, told
from tests.support.terminal import ROLES, Terminal

GOLDEN = Path(__file__).parent / "golden"
DAYS = 30.0

_RULE = """
  - rule: {name}
    mode: {mode}
    match: ['{{alertname="{name}"}}']
    wait: 1m
    actions: [{action}]
    verifications:
      - rollout_complete: {{within: 5m}}
      - alert_cleared: {{for: 1m, within: 45m}}
"""
RULES = "rules:" + "".join(
    _RULE.format(name=name, mode=mode, action=action)
    for name, mode, action in (
        ("bad-release", "shadow", "rollback"),
        ("hung", "shadow", "restart"),
        ("sure", "shadow", "rollback"),
        ("once", "shadow", "rollback"),
        ("acting", "act", "restart"),
        ("quiet", "shadow", "rollback"),
    )
)


async def bad_release(month: Month, rule: Rule) -> None:
    """30 decisions whose end is known, 4 whose end is not, 5 stopped, 2 without a plan."""
    same = [Incident(day(1 + each), becomes=GOOD, asks=each < 5) for each in range(24)]
    await month.shadow(rule, *same)
    await month.shadow(rule, *(Incident(day(2 + each, 11), becomes=FIXED) for each in range(2)))
    await month.shadow(rule, *(Incident(day(3 + each, 12), cleared=each) for each in (4, 8, 12)))
    await month.shadow(rule, Incident(day(20, 13), another=10))
    # Of these nobody knows.
    await month.shadow(rule, Incident(day(21, 14), cleared=None))
    await month.shadow(rule, Incident(day(30, 12) - 10 * MINUTE, cleared=5))
    await month.shadow(rule, Incident(day(22, 14), remembered=False))
    await month.changed_by_us(rule, day(23, 14))
    # None of these is a decision. Each healed alone: 1 + cleared minutes after its alert was received.
    for minutes, guards in (
        (1, ("human_active",)),
        (2, ("human_active",)),
        (3, ("human_active",)),
        (5, ("floor", "human_active")),
        (6, ("node_trouble",)),
    ):
        await month.shadow(rule, Incident(day(10 + minutes, 15), cleared=minutes, stopped_by=guards))
    await month.shadow(rule, *(Incident(day(18 + each, 16), cleared=each, planned=False) for each in (7, 9)))
    # Neither these: a version that could do something else, a person's preview, a decision of the month before.
    await month.shadow(rule, *(Incident(day(2, 17), digest="another") for _ in range(2)))
    await month.shadow(rule, Incident(day(2, 18), becomes=GOOD, trigger={"kind": "person", "who": "kim"}))
    await month.shadow(rule, Incident(day(0, 11), becomes=GOOD))
    # A second and a third look at one incident: the first was stopped, the second would have acted.
    again = Incident(day(26, 10), becomes=GOOD)
    name = "api-of-an-incident-that-goes-on"
    incident_id = await month._incident(name, again)
    await month._tenures(rule, again, name)
    for minutes in (-15, 0, 15):
        stopped_by = ("human_active",) if minutes < 0 else ()
        look = Incident(again.at + minutes * MINUTE, stopped_by=stopped_by)
        await month.look(rule, look, name, incident_id)
    # It acted thrice, long ago, and took 5, 6 and 10 minutes until that was verified.
    for number, took in ((5, 10), (6, 5), (7, 6)):
        await month.acted(rule, day(number, 20), took)


async def written(story: Story) -> None:
    """The whole month."""
    rules = {each.rule: each for each in story.daemon.rules.rules()}
    async with story.daemon.database.transaction() as connection:
        month = Month(connection)
        await bad_release(month, rules["bad-release"])
        hung = [Incident(day(1 + each), cleared=15, restarted=True) for each in range(20)]
        await month.shadow(rules["hung"], *hung)
        sure = [Incident(day(1 + each % 25, 10 + each // 25), becomes=GOOD) for each in range(36)]
        await month.shadow(rules["sure"], *sure)
        await month.shadow(rules["once"], Incident(day(9), becomes=GOOD))
        for number, back in ((25, None), (26, 61), (27, None), (28, 59)):
            await month.acted(rules["acting"], day(number), 5, back=back)
        await month.acted(rules["acting"], day(29), 5, state="ESCALATED")
        await month.acted(rules["acting"], day(29, 10), 5, state="ESCALATED", helped_not=False)
        await month.acted(rules["acting"], day(30, 11), 5)


@pytest.fixture
async def terminal(
    tmp_path: Path, database_url: str, clock: DrivenClock, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Terminal]:
    """A person at a terminal, at noon thirty days on."""
    async with told(tmp_path, database_url, clock, RULES, people(tmp_path, **ROLES)) as story:
        await clock.advance(timedelta(days=DAYS).total_seconds())
        await written(story)
        yield Terminal(story, tmp_path / "guest", capsys)


async def of(terminal: Terminal, rule: str) -> Any:
    (found,) = (await terminal.json("shadow", "report", "--rule", rule))["rules"]
    return found


async def test_the_report_of_a_month_is_the_one_computed_by_hand(terminal: Terminal) -> None:
    found = await of(terminal, "bad-release")
    assert found["decisions"] == {
        # 24 alone in their incidents, and the one of which the second look counts.
        "same": 25,
        "something_else": 2,
        "alone": 3,
        "worse": 1,
        "unknown": {
            "its alert is still open": 1,
            "remediator itself changed it": 1,
            "the memory did not look all the time": 1,
            "the window is not over": 1,
        },
        # 25 + 2 + 3 + 1 + 4
        "count": 35,
        "asks": 5,
    }
    assert found["left_out"] == {
        "stopped": 5,
        "stopped_by": {"human_active": 4, "floor": 1, "node_trouble": 1},
        "without_plan": 2,
        "of_other_versions": 2,
    }
    # 25 of 31: p = 0.80645, z = 1.95996, z^2 = 3.84146.
    #   middle = (p + z^2/62) / (1 + z^2/31) = (0.80645 + 0.06196) / 1.12392 = 0.77266
    #   half = z / 1.12392 * sqrt(p(1-p)/31 + z^2/(4*961)) = 1.74386 * sqrt(0.0050351 + 0.0009993) = 0.13547
    precision = found["precision"]
    assert (precision["right"], precision["of"]) == (25, 31)
    assert (round(precision["low"], 4), round(precision["high"], 4)) == (0.6372, 0.9081)
    # It verified in 5, 6 and 10 minutes, so usually in 6. Saved: 25 times 20 - 6 minutes.
    assert found["verification_seconds"] == 6 * 60
    assert found["saved_seconds"] == 25 * 14 * 60
    # The two fixes that a rollback would have undone, and the one of 4, 8 and 12 minutes that is below 6.
    assert found["harmed"] == 3
    # Received a minute before. Decisions 5, 9, 13; stopped 2, 3, 4, 6, 7; without a plan 8, 10. In order:
    #   2 3 4 5 6 7 8 9 10 13: of ten the 5th is p50, the 9th p90, the 10th p99.
    assert found["self_healing"] == {
        "episodes": 10,
        "p50_seconds": 6 * 60,
        "p90_seconds": 10 * 60,
        "p99_seconds": 13 * 60,
        "suggested_wait": "10m",
    }
    assert found["promotion"] == {
        "earned": "ask",
        "lacks": [
            "act takes a precision of 0.90, the lower end of its interval is 0.64",
            "act allows 0 that would have harmed, there are 3",
        ],
    }
    assert found["acted"] is None, "what it did was more than a week ago"


async def test_a_restart_that_people_made_each_time_has_earned_ask_and_a_few_more_earn_act(
    terminal: Terminal,
) -> None:
    hung = await of(terminal, "hung")
    # 20 of 20: the lower end is 20 / (20 + 3.84146) = 0.8389. Nobody knows what its own cure takes: 20 times 15.
    assert round(hung["precision"]["low"], 4) == 0.8389
    assert (hung["saved_seconds"], hung["verification_seconds"], hung["harmed"]) == (20 * 15 * 60, None, 0)
    assert hung["promotion"]["earned"] == "ask"
    sure = await of(terminal, "sure")
    # 36 of 36: 36 / 39.84146 = 0.9036.
    assert round(sure["precision"]["low"], 4) == 0.9036
    assert sure["promotion"] == {"earned": "act", "lacks": []}


async def test_one_decision_is_no_proof(terminal: Terminal) -> None:
    once = await of(terminal, "once")
    # 1 of 1: 1 / 4.84146 = 0.2065.
    assert (round(once["precision"]["low"], 4), once["precision"]["high"]) == (0.2065, 1.0)
    assert once["promotion"] == {
        "earned": "nothing",
        "lacks": [
            "ask takes 10 decisions whose end is known, there are 1",
            "ask takes a precision of 0.50, the lower end of its interval is 0.21",
        ],
    }


async def test_what_a_rule_did_is_counted_beside_it(terminal: Terminal) -> None:
    acted = (await of(terminal, "acting"))["acted"]
    # The one of day 25 is still within a week only because that ends at noon of day 23.
    assert {each: acted[each] for each in ("held", "came_back", "not_helped", "unknown", "too_early")} == {
        "held": 3,
        "came_back": 1,
        "not_helped": 1,
        "unknown": 1,
        "too_early": 1,
    }
    # 3 of 5: middle (0.6 + 0.38415) / 1.76829 = 0.55655, half 1.10839 * sqrt(0.048 + 0.038415) = 0.32583.
    assert (round(acted["held_share"]["low"], 4), round(acted["held_share"]["high"], 4)) == (0.2307, 0.8824)


async def test_the_report_is_printed_for_people(terminal: Terminal) -> None:
    shown = re.sub(r"[0-9a-f]{16}", "DIGEST", await terminal.shows("shadow", "report"))
    assert shown == (GOLDEN / "month.txt").read_text()


async def test_a_rule_of_which_there_is_nothing_is_shown_when_it_is_asked_for(terminal: Terminal) -> None:
    shown = await terminal.shows("shadow", "report", "--rule", "quiet", "--days", "7")
    assert "from 2026-01-28 12:00 to 2026-02-04 12:00 UTC" in shown
    assert re.search(r"decisions +0\n", shown)
    status, _, error = await terminal.type("shadow", "report", "--rule", "quite")
    assert (status, "no rule called quite is loaded" in error) == (1, True)
    status, _, error = await terminal.type("shadow", "report", "--days", "0")
    assert (status, "days must be a number from 1 to 365" in error) == (1, True)
