"""How far a run goes that a person starts."""

import pytest

from remediator.domain.asked import NotStarted
from remediator.domain.run_view import Mode
from remediator.planning.asked import mode_for

REFUSED = None


@pytest.mark.parametrize(
    ("asked", "effective", "ceiling", "mode"),
    [
        (None, "act", "act", "act"),
        (None, "ask", "act", "ask"),
        (None, "shadow", "act", "shadow"),
        (None, "off", "act", REFUSED),
        (None, "shadow", "shadow", "shadow"),
        ("shadow", "act", "act", "shadow"),
        ("ask", "act", "act", "ask"),
        ("act", "act", "act", "act"),
        ("ask", "shadow", "act", "ask"),
        ("ask", "off", "act", "ask"),
        ("shadow", "off", "act", "shadow"),
        ("act", "ask", "act", REFUSED),
        ("act", "shadow", "act", REFUSED),
        ("act", "off", "act", REFUSED),
        ("act", "ask", "ask", REFUSED),
        ("ask", "shadow", "shadow", REFUSED),
        ("shadow", "shadow", "shadow", "shadow"),
        (None, "off", "off", REFUSED),
        ("shadow", "off", "off", REFUSED),
    ],
)
def test_a_person_may_ask_for_less_or_for_somebody_to_agree(
    asked: Mode | None, effective: Mode, ceiling: Mode, mode: Mode | None
) -> None:
    chosen = mode_for(asked, effective, ceiling)
    assert isinstance(chosen, NotStarted) if mode is REFUSED else chosen == mode
