"""What the version before stored is read by this one, and the other way round."""

from remediator.run import Streak


def test_a_verification_that_was_under_way_goes_on() -> None:
    stored = {"answer": "recovered", "since": "2026-01-05T12:00:00Z", "why": "for a minute", "settled": True}
    streak = Streak.model_validate(stored)
    assert streak.recovered_once
    assert streak.to_json() == stored
