"""What becomes of a person's asking for a run."""

from typing import Literal

from remediator.domain.run_view import Mode
from remediator.domain.value import Value


class Started(Value):
    """There is a run now."""

    run: int
    incident_id: int
    mode: Mode
    says: str
    """What it does and what happens next, as a sentence."""


class NotStarted(Value):
    """There is none, and nothing else was changed."""

    because: Literal["no_such_thing", "refused", "not_now"]
    """What was named does not exist; it may not be; or it cannot be told at this moment."""
    why: str
    hint: str
    """What to do instead."""
