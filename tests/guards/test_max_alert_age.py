"""max_alert_age: an alert that began too long ago is left to people."""

from datetime import timedelta

import pytest

from remediator.guards.max_alert_age import MaxAlertAge
from tests.guards.facts import Facts

RULE = MaxAlertAge.model_validate("2h")


@pytest.mark.parametrize(
    ("since", "received", "answer"),
    [
        (timedelta(minutes=2), timedelta(minutes=1), "allow"),
        (timedelta(hours=2), timedelta(hours=1), "allow"),
        (timedelta(hours=2, seconds=1), timedelta(minutes=1), "refuse"),
        (timedelta(days=3), timedelta(minutes=1), "refuse"),
        (timedelta(minutes=1), timedelta(hours=3), "refuse"),
        (timedelta(minutes=-10), timedelta(minutes=1), "allow"),
    ],
)
async def test_the_earlier_of_its_start_and_its_arrival_counts(
    facts: Facts, since: timedelta, received: timedelta, answer: str
) -> None:
    alert, now = facts.run().the_alert, facts.clock.now()
    times = {"starts_at": now - since, "received_at": now - received}
    verdict = await facts.verdict(RULE, facts.run(alert=alert.model_copy(update=times)))
    assert verdict.answer == answer, verdict.why
    assert not verdict.passing
    assert verdict.inputs["at_most"] == "2h"


def test_it_says_nothing_of_a_run_that_a_person_asked_for(facts: Facts) -> None:
    assert RULE.concerns(facts.run())
    assert not RULE.concerns(facts.run(alert=None))
