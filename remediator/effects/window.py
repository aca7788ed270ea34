"""How long after the last look at pauses and freezes a write may begin."""

from remediator.clock import Clock

SECONDS = 1.5
"""Two are promised from a pause to the last write that begins. The rest is for what no timer sees: an event loop
that is busy, a request on its way to the socket."""


class Window:
    """Opened right before everything that can stop a write is looked at."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._opened_at = clock.monotonic()

    def left(self) -> float:
        """Seconds in which a write may still begin; zero or less means that it has to be asked again."""
        return SECONDS - (self._clock.monotonic() - self._opened_at)
