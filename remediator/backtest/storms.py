"""Storms in a simulation: how many targets began to fire at once. `store/storms` counts the same in SQL."""

from datetime import datetime, timedelta
from typing import NamedTuple

from remediator.domain.storm import Storm
from remediator.domain.target import Target
from remediator.settings.sections import Storms


class _Newest(NamedTuple):
    """The newest alert of a target."""

    at: datetime
    namespace: str


class StormCount:
    """The targets of acting rules that fire, and the storms that came of them: time never goes back."""

    def __init__(self, limits: Storms, longest: timedelta = timedelta(0)) -> None:
        """`longest` is the longest window that anybody will ask about."""
        self._limits = limits
        self._kept = max(limits.window, longest)
        self._recent: dict[str, _Newest] = {}
        """By target, in the order of time."""
        self._open: dict[str, dict[int, datetime]] = {}
        """By target: when each of its open alerts was received, the first first, by the alert's number."""
        self._storms: dict[str | None, Storm] = {}
        self.began = 0
        """Storms so far."""

    def placed(self, alert: int, target: Target, received_at: datetime, now: datetime) -> None:
        """An alert of a rule that acts was found to be about this target."""
        name = str(target)
        self._open.setdefault(name, {})[alert] = received_at
        self._recent.pop(name, None)
        self._recent[name] = _Newest(received_at, target.namespace)
        self._reach(target.namespace, now)

    def was_open(self, alert: int, target: Target, received_at: datetime) -> None:
        """The same of an alert from before the simulation began, which makes no storm in it."""
        self._open.setdefault(str(target), {})[alert] = received_at

    def closed(self, alert: int, target: Target) -> None:
        """It is over."""
        of_target = self._open.get(str(target), {})
        of_target.pop(alert, None)
        if not of_target:
            self._open.pop(str(target), None)

    def covering(self, target: Target, now: datetime) -> Storm | None:
        """The storm in which a target is; of two the one everywhere."""
        for where in (None, target.namespace):
            storm = self._storms.get(where)
            if storm is not None and storm.ends_at > now:
                return storm
        return None

    def newly_firing(self, namespace: str, window: timedelta, now: datetime) -> tuple[int, int]:
        """Targets that began to fire within the window: in the namespace, and anywhere.

        One that fired before the window, and still does, did not begin within it.
        """
        after = now - window
        here = anywhere = 0
        for target in reversed(self._recent):
            newest = self._recent[target]
            if newest.at <= after:
                break
            if not self._fired_before(target, after):
                anywhere += 1
                here += newest.namespace == namespace
        return here, anywhere

    def _fired_before(self, target: str, after: datetime) -> bool:
        first = next(iter(self._open.get(target, {}).values()), None)
        return first is not None and first <= after

    def _reach(self, namespace: str, now: datetime) -> None:
        limits = self._limits
        while self._recent and next(iter(self._recent.values())).at <= now - self._kept:
            del self._recent[next(iter(self._recent))]
        here, anywhere = self.newly_firing(namespace, limits.window, now)
        if anywhere >= limits.anywhere:
            for where in [each for each in self._storms if each is not None]:
                del self._storms[where]
            self._begin(None, now)
        elif here >= limits.in_namespace and not self._is_on(None, now):
            self._begin(namespace, now)

    def _is_on(self, where: str | None, now: datetime) -> bool:
        storm = self._storms.get(where)
        return storm is not None and storm.ends_at > now

    def _begin(self, where: str | None, now: datetime) -> None:
        """Another one, or the cool-down of the one that is on anew."""
        ends_at = now + self._limits.cool_down
        if self._is_on(where, now):
            self._storms[where] = self._storms[where].model_copy(update={"ends_at": ends_at})
            return
        self.began += 1
        self._storms[where] = Storm(id=self.began, namespace=where, began_at=now, ends_at=ends_at)
