"""What came of a test: read from the database and from the API server's own log of what was changed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from remediator.domain.answers import GuardAnswer, GuardVerdict
from remediator.domain.change import ATTEMPT, RESTARTED_AT
from remediator.run import ACTIVE
from remediator.sandbox.kubernetes import Effect
from remediator.store import approvals, journal, runs
from remediator.store.journal import Line
from remediator.store.runs import RunSummary
from remediator.trial.world import CHANGED, USER, WATCHDOG, World

_NAMED = re.compile(r"(?:^|[;:(] ?)([a-z_]+)(?=: )")
"""Whoever speaks in a sentence put together from several: `owner: ...; limit: ...`."""
_WAITING = re.compile(r"^waiting for (?P<names>[a-z_, ]+)$")


@dataclass(frozen=True)
class Event:
    """Something seen: at a moment, or from then `until` another."""

    at: timedelta
    kind: str
    """One of expected.KINDS."""
    names: tuple[str, ...]
    """What it is: `rollback to app:v1`, the guards that hold it, the ending."""
    sentence: str = ""
    target: str = ""
    rule: str = ""
    until: timedelta | None = None

    def stands_at(self, moment: timedelta) -> bool:
        """Whether it is so at a moment."""
        if self.kind not in ("holds", "nothing"):
            return self.at == moment
        return self.at <= moment and (self.until is None or moment < self.until)


@dataclass(frozen=True)
class Seen:
    """Everything that coverage and comparing ask for."""

    events: tuple[Event, ...]
    verdicts: tuple[tuple[str, GuardVerdict], ...]
    """Every guard's answers, with the rule of the run it was asked for."""
    rungs: frozenset[tuple[str, int]]
    """The rungs that changed something, by their rules."""
    rules: frozenset[str]
    """Those that made a run."""
    asked: frozenset[str]
    """The queries Prometheus got."""


async def look_back(world: World, zero: datetime) -> Seen:
    """All that happened since the beginning; times are counted from `zero`."""
    async with world.daemon.database.connection() as connection:
        found = list(reversed(await runs.recent(connection, limit=1000)))
        lines = {each.id: await journal.of_run(connection, each.id) for each in found}
        asked = [(each, await approvals.of_run(connection, each.id)) for each in found]
        dispositions = await journal.of_kind(connection, "disposition")
    ladders = {each.rule: each.ladder for each in world.daemon.rules.rules()}
    by_id = {each.id: each for each in found}
    events = [event for each in found for event in _of_run(each, lines[each.id], zero)]
    events += _not_planned(dispositions, zero)
    for run, requests in asked:
        for request in requests:
            at = request.requested_at - zero
            actions = [each.key() for each in ladders[run.rule][request.rung].actions]
            names = tuple(
                dict.fromkeys(name for each in request.asked for name in _speakers(each) or actions)
            )
            events.append(_event(run, at, "asks", names, "; ".join(request.asked)))
    rungs = set()
    for effect in world.emulator.effects:
        if effect.user != USER or effect.claim or effect.resource not in (*CHANGED, "pods"):
            continue
        run_id, rung = _attempt(effect)
        made_by = by_id.get(run_id)
        events.append(_change(effect, made_by, zero))
        if made_by is not None:
            rungs.add((made_by.rule, rung))
    return Seen(
        events=tuple(sorted(events, key=lambda each: each.at)),
        verdicts=tuple(
            (each.rule, GuardVerdict.model_validate(line.details))
            for each in found
            for line in lines[each.id]
            if line.kind == "guard"
        ),
        rungs=frozenset(rungs),
        rules=frozenset(each.rule for each in found),
        asked=frozenset(world.prometheus.asked),
    )


def _event(run: RunSummary, at: timedelta, kind: str, names: Sequence[str], sentence: str) -> Event:
    return Event(at, kind, tuple(names), sentence, run.target, run.rule)


def _of_run(run: RunSummary, lines: Sequence[Line], zero: datetime) -> Iterator[Event]:
    """What its guards refused, what it waited for, and how it ended."""
    held: Line | None = None
    for line in lines:
        at = line.at - zero
        if line.kind == "guard":
            yield from _refused(run, at, GuardVerdict.model_validate(line.details))
        if line.kind not in ("held", "state"):
            continue
        if held is not None:
            yield _held(run, held, zero, at)
        held = line if line.kind == "held" else None
        if line.kind == "state":
            yield from _moved(run, at, line)
    if held is not None:
        yield _held(run, held, zero, None)


def _refused(run: RunSummary, at: timedelta, verdict: GuardVerdict) -> Iterator[Event]:
    if verdict.answer in (GuardAnswer.REFUSE, GuardAnswer.UNKNOWN):
        yield _event(run, at, "refuses", [verdict.guard], verdict.sentence)


def _moved(run: RunSummary, at: timedelta, line: Line) -> Iterator[Event]:
    """An ending, and what refused to propose anything where that was it."""
    to = str(line.details.get("to"))
    if to in ACTIVE:
        return
    why = line.text.removeprefix(f"{to}: ")
    yield _event(run, at, "ends", [to], why)
    if line.details.get("from") == "DIAGNOSED":
        yield _event(run, at, "refuses", _speakers(why), why)


def _held(run: RunSummary, line: Line, zero: datetime, until: timedelta | None) -> Event:
    waiting = _WAITING.match(line.text)
    names = waiting["names"].split(", ") if waiting else _speakers(line.text)
    return Event(line.at - zero, "holds", tuple(names), line.text, run.target, run.rule, until)


def _speakers(sentence: str) -> list[str]:
    """The guards that a sentence names; none in a reason of an action's own."""
    return _NAMED.findall(sentence)


def _not_planned(lines: Sequence[Line], zero: datetime) -> Iterator[Event]:
    """Why alerts were left without a run, each until something else was decided about it."""
    last: dict[int | None, Event] = {}
    for line in lines:
        alert, _, said = line.text.partition(": ")
        if alert == WATCHDOG:
            continue
        disposition, _, why = said.partition(" ")
        at = line.at - zero
        before = last.pop(line.episode_id, None)
        if before is not None:
            yield Event(before.at, before.kind, before.names, before.sentence, until=at)
        if disposition != "planned":
            last[line.episode_id] = Event(at, "nothing", (disposition,), f"{alert}: {why.strip('()')}")
    yield from last.values()


def _change(effect: Effect, run: RunSummary | None, zero: datetime) -> Event:
    target = f"{effect.resource.removesuffix('s')}/{effect.namespace}/{effect.name}"
    before, after = _images(effect.before), _images(effect.after)
    scaled = [((each or {}).get("spec") or {}).get("replicas") for each in (effect.before, effect.after)]
    if effect.resource == "pods":
        what = "eviction"
    elif scaled[0] != scaled[1]:
        what = f"scaling to {scaled[1]}"
    elif before == after and _restarted(effect.before) != _restarted(effect.after):
        what = "restart"
    else:
        what = f"rollback to {after}"
    sentence = f"{before} -> {after}" if before != after else after
    return Event(effect.at - zero, "acts", (what,), sentence, target, run.rule if run is not None else "")


def _template(found: dict[str, Any] | None) -> dict[str, Any]:
    template: dict[str, Any] = ((found or {}).get("spec") or {}).get("template") or {}
    return template


def _images(found: dict[str, Any] | None) -> str:
    containers = (_template(found).get("spec") or {}).get("containers") or ()
    return ",".join(str(each["image"]) for each in containers)


def _restarted(found: dict[str, Any] | None) -> str | None:
    annotations = (_template(found).get("metadata") or {}).get("annotations") or {}
    stamp: str | None = annotations.get(RESTARTED_AT)
    return stamp


def _attempt(effect: Effect) -> tuple[int, int]:
    """The run and the rung that the object says made it; zeros where it does not."""
    marker = ((effect.after or {}).get("metadata") or {}).get("annotations", {}).get(ATTEMPT) or "0/0/0"
    run_id, rung, _ = marker.split("/")
    return int(run_id), int(rung)
