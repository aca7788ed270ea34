"""What the API answers a request with."""

from collections.abc import Callable
from dataclasses import dataclass, field

from remediator.sandbox.kubernetes.status import Json
from remediator.sandbox.kubernetes.watching import Watch


@dataclass
class Answer:
    """What goes back: a JSON object, a text, or nothing."""

    code: int
    body: Json | str | None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Stream:
    """A watch to be sent event by event."""

    watch: Watch
    present: Callable[[Json], Json]
