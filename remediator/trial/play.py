"""Plays one test: facts and alerts over time, on the real engine, and what came of it."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from remediator.rulebook.load import Rulebook
from remediator.run import ACTIVE
from remediator.sandbox.kubernetes.json_patch import PatchFailed
from remediator.sandbox.kubernetes.status import ApiError
from remediator.store import episodes, runs
from remediator.store.database import open_database
from remediator.trial.case import AlertSeries, Case, CaseSettings
from remediator.trial.clock import START, DrivenClock
from remediator.trial.facts import behaviours, happenings
from remediator.trial.seen import Seen, look_back
from remediator.trial.series import boundaries, fires, parse_series
from remediator.trial.world import Given, NotTaken, World, standing

ZERO = START + timedelta(weeks=13)
"""The moment that tests count from, a Monday at noon: later than the longest history they may have."""

_STEP = timedelta(minutes=1)
_GROWTH, _LONGEST_STEP = 8, timedelta(days=30)
_LOOK_EVERY = timedelta(minutes=15)
_RHYTHM = {
    "verify_every": "1m",
    "hold": "1m",
    # What is unseen for four looks counts as not available: history is looked at far more seldom than this.
    "memory_every": "30d",
    # Renewed by the machine's time, which says nothing here.
    "lease": "1h",
}
"""Runs are asked once a minute, which is the step time goes by."""
_PATIENT = {"statement_timeout": "1m", "lock_timeout": "1m", "idle_in_transaction_timeout": "1m"}
"""Of the database: a machine that is busy with something else fails no test."""


class CannotPlay(Exception):
    """The facts of a test are nothing the cluster or the daemon takes; the text says why."""


async def play(
    case: Case, rulebook: Rulebook, settings: CaseSettings, directory: Path, database_url: str
) -> Seen:
    """What was seen until the last time at which something is expected. Raises CannotPlay."""
    rules = directory / "rules.yaml"
    rules.write_text(json.dumps(_as_file(rulebook, case)))
    database = await open_database(database_url)
    try:
        clock = DrivenClock(database)
        begins = _begins(case)
        await clock.move_to(ZERO + begins)
        chosen = settings.model_dump(mode="json", exclude_unset=True)
        usual = {"engine": _RHYTHM, "database": _PATIENT}
        images = behaviours(case, lambda: clock.now() - ZERO)
        given = Given([rules], {**usual, **chosen}, images=images)
        async with standing(directory, database_url, clock, given) as world:
            await _Playing(case, world, begins).play()
            return await look_back(world, ZERO)
    finally:
        await database.close()


def _as_file(rulebook: Rulebook, case: Case) -> dict[str, object]:
    """The rules as a file, in the mode of the case."""
    rules = []
    for each in rulebook.rules:
        rule = each.model_dump(mode="json", exclude={"targets"}, exclude_none=True)
        if case.mode != "as_written" and rule["mode"] != "off":
            rule["mode"] = case.mode
        rules.append(rule)
    targets = [each.model_dump(mode="json") for each in rulebook.targets]
    return {"rules": rules, "targets": targets}


def _begins(case: Case) -> timedelta:
    """When the first thing is there, or happens."""
    moments = [each.at for workload in case.workloads for each in workload.revisions]
    moments += [each.at for each in case.writes] + [each.at for each in case.node]
    moments += [each.begins for each in (*case.alerts, *case.silences)]
    return min([timedelta(0), *moments])


@dataclass
class _Alert:
    """An alert of the case, and whether it fires now."""

    series: AlertSeries
    interval: timedelta
    firing: bool = False
    samples: tuple[float | None, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.samples = parse_series(self.series.values) if self.series.values is not None else ()

    def changes(self) -> Iterator[timedelta]:
        """When it may begin or end."""
        if self.series.values is None:
            yield self.series.begins
            if self.series.until is not None:
                yield self.series.until
            return
        yield from boundaries(self.samples, self.interval)

    def fires_at(self, moment: timedelta) -> bool:
        if self.series.values is None:
            until = self.series.until
            return self.series.begins <= moment and (until is None or moment < until)
        index = moment // self.interval
        return 0 <= index < len(self.samples) and fires(self.samples[index])


class _Playing:
    """One test under way."""

    def __init__(self, case: Case, world: World, begins: timedelta) -> None:
        self._case = case
        self._world = world
        self._now = begins
        self._looked_at, self._looked_when = -1, begins
        self._silenced: dict[int, str] = {}
        self._alerts = [_Alert(each, case.interval) for each in case.alerts]
        self._to_come = sorted(happenings(case, begins), key=lambda each: each.at)
        self._moments = self._all_moments()
        self._ends = max(each.at for each in case.expect)
        self._alive_from = min([timedelta(0), *(each.begins for each in case.alerts)])

    async def play(self) -> None:
        """From the beginning to the last time at which something is expected."""
        step = _STEP
        await self._arrive()
        while self._now < self._ends:
            alive = self._now >= self._alive_from
            listed = next((each for each in self._moments if each > self._now), self._ends)
            moment = min(listed, await self._due() if alive else self._changes_next(step))
            await self._world.clock.advance((moment - self._now).total_seconds())
            self._now = moment
            await self._world.emulator.catch_up()
            if not alive or (self._to_come and self._to_come[0].at <= moment):
                # What was there until now is seen before it changes.
                await self._look(whatever=True)
            step = min(step * _GROWTH, _LONGEST_STEP)
            if moment == listed:
                step = _STEP
                await self._arrive()
            elif alive:
                await self._live()

    def _changes_next(self, step: timedelta) -> timedelta:
        """When history goes on by itself, as pods become ready: in longer and longer steps, since some never do."""
        at = self._world.emulator.next_at
        return timedelta.max if at is None else max(self._now + step, at - ZERO)

    async def _due(self) -> timedelta:
        """The next minute, or an earlier moment for which an alert is put off; much later while no run is at work."""
        async with self._world.daemon.database.connection() as connection:
            put_off = [each.plan_due_at for each in await episodes.all_open(connection)]
            at_work = ACTIVE & set(await runs.count_by_state(connection))
        to_come = [each - ZERO for each in put_off if each is not None and each - ZERO > self._now]
        return min([self._now + (_STEP if at_work else _LOOK_EVERY), *to_come])

    async def _arrive(self) -> None:
        """It is `self._now`: what happens now happens, and whoever lives looks at it."""
        while self._to_come and self._to_come[0].at <= self._now:
            happening = self._to_come.pop(0)
            try:
                happening.do(self._world.emulator)
            except (ApiError, PatchFailed, KeyError) as reason:
                raise CannotPlay(f"the cluster does not take a fact of this test: {reason}") from reason
        await self._world.emulator.catch_up()
        self._answer_queries()
        self._silence()
        if self._now >= self._alive_from:
            await self._live()
        else:
            await self._look(whatever=True)

    async def _look(self, *, whatever: bool = False) -> None:
        """The memory looks if something changed, or if it has not looked for long: its looks cost the most here."""
        version = self._world.emulator.version
        if whatever or version != self._looked_at or self._now - self._looked_when >= _LOOK_EVERY:
            self._looked_at, self._looked_when = version, self._now
            await self._world.daemon.watcher.tick()

    async def _live(self) -> None:
        """Everybody looks, and works until nothing is left to do at this moment."""
        await self._look()
        if self._fire():
            try:
                await self._world.deliver()
            except NotTaken as reason:
                raise CannotPlay(f"the daemon does not take an alert of this test: {reason}") from reason
        await self._world.work(look=False)

    def _answer_queries(self) -> None:
        for metric in self._case.metrics:
            sample = metric.at(self._now, self._case.interval)
            self._world.prometheus.answer(metric.query, [] if sample is None else sample)

    def _silence(self) -> None:
        alertmanager = self._world.alertmanager
        for number, each in enumerate(self._case.silences):
            wanted = each.begins <= self._now and (each.until is None or self._now < each.until)
            if wanted and number not in self._silenced:
                self._silenced[number] = alertmanager.silence(each.labels)
            elif not wanted and number in self._silenced:
                alertmanager.unsilence(self._silenced.pop(number))

    def _fire(self) -> bool:
        """Let alerts begin and end; whether any did."""
        changed = False
        for each in self._alerts:
            fires_now = each.fires_at(self._now)
            if fires_now == each.firing:
                continue
            changed, each.firing = True, fires_now
            if fires_now:
                labels, annotations = dict(each.series.labels), dict(each.series.annotations)
                self._world.alertmanager.fire(labels, annotations=annotations)
            else:
                with suppress(KeyError):
                    self._world.alertmanager.resolve(dict(each.series.labels))
        return changed

    def _all_moments(self) -> list[timedelta]:
        """Every time at which something begins, ends or is expected, in order."""
        moments = {each.at for each in self._to_come} | {each.at for each in self._case.expect}
        moments |= {moment for alert in self._alerts for moment in alert.changes()}
        for silence in self._case.silences:
            moments |= {silence.begins} | ({silence.until} if silence.until is not None else set())
        for metric in self._case.metrics:
            samples = parse_series(metric.values) if metric.values is not None else ()
            moments |= set(boundaries(samples, self._case.interval))
        return sorted({*moments, timedelta(0)})
