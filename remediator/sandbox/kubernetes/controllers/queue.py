"""What every controller is: keys in a queue, looked at a little later than the change that put them there."""

from abc import ABC, abstractmethod

from remediator.sandbox.kubernetes.effects import Origin
from remediator.sandbox.kubernetes.loop import Due, Loop
from remediator.sandbox.kubernetes.status import TERMINATING, ApiError
from remediator.sandbox.kubernetes.store import Change, Key, Store
from remediator.sandbox.kubernetes.writes import Writes


class Controller(ABC):
    """Reconciles keys. `lag` is how many seconds pass before it has seen a change."""

    manager = "kube-controller-manager"

    def __init__(self, writes: Writes, loop: Loop, lag: float) -> None:
        self.writes = writes
        self.loop = loop
        self.lag = lag
        self._queued: dict[Key, Due] = {}
        writes.store.listen(self.observe)

    @property
    def store(self) -> Store:
        """Where the objects are."""
        return self.writes.store

    @property
    def origin(self) -> Origin:
        """On whose behalf it writes."""
        return Origin(user=f"system:{self.manager}", manager=self.manager, client=False)

    @abstractmethod
    def observe(self, change: Change) -> None:
        """See a change and queue the keys it concerns."""

    @abstractmethod
    def reconcile(self, key: Key) -> None:
        """Bring what `key` names one step nearer to what is wanted."""

    def queue(self, key: Key, seconds: float | None = None) -> None:
        """Look at `key` in `seconds` (`lag` by default), or earlier if it is queued for earlier."""
        delay = self.lag if seconds is None else max(0.0, seconds)
        waiting = self._queued.get(key)
        if waiting is not None:
            due = (waiting.at - self.loop.clock.now()).total_seconds()
            if due <= delay:
                return
            waiting.cancel()
        self._queued[key] = self.loop.after(delay, lambda: self._run(key))

    def _run(self, key: Key) -> None:
        del self._queued[key]
        try:
            self.reconcile(key)
        except ApiError as refused:
            # As real controllers do: what would be made in a namespace that goes is not made.
            if not refused.caused_by(TERMINATING):
                raise
