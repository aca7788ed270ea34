"""An incident from its first alert to its end, in the order of time. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from remediator.incidents.moment import Moment, Row, lasted
from remediator.incidents.record import Episode, Line, Record, Run
from remediator.incidents.run_story import RunStory

_STILL_FIRING = frozenset({"opened", "restarted"})


@dataclass(frozen=True, slots=True)
class Timeline:
    """What a person reads at 3 a.m."""

    title: str
    facts: tuple[Row, ...]
    """Name and value."""
    began_at: datetime
    """When the first alert began to fire; other times are shown relative to it."""
    moments: tuple[Moment, ...]
    """Oldest first."""


def timeline(record: Record, only_run: int | None = None) -> Timeline:
    """The timeline of an incident, or of one of its runs and the incident's alerts."""
    runs = [each for each in record.runs if only_run in (None, each.id)]
    first, again = _first_and_again(runs)
    moments = [*_of_alerts(record), *_of_incident(record)]
    for run in first:
        moments += RunStory(run, record.attempts).moments(record.journal)
    moments += [_folded(each) for each in again]
    incident = record.incident
    began_at = min([each.starts_at for each in record.episodes] or [incident.opened_at])
    title = f"Incident {incident.id}: {incident.title}"
    if only_run is not None:
        title = f"Run {only_run} of incident {incident.id}: {incident.title}"
    return Timeline(
        title=title,
        facts=tuple(_facts(record, first, again, began_at)),
        began_at=began_at,
        moments=tuple(sorted(moments, key=lambda each: each.at)),
    )


def _first_and_again(runs: Sequence[Run]) -> tuple[list[Run], list[list[Run]]]:
    """Runs to tell in full, and later shadow runs of the same rules, which would tell the same again."""
    first: list[Run] = []
    again: dict[str, list[Run]] = {}
    for run in runs:
        if run.mode == "shadow" and any(each.rule == run.rule and each.mode == run.mode for each in first):
            again.setdefault(run.rule, []).append(run)
        else:
            first.append(run)
    return first, list(again.values())


def _folded(runs: Sequence[Run]) -> Moment:
    last = runs[-1]
    which = f"run {last.id}" if len(runs) == 1 else f"{len(runs)} runs, the last is {last.id}"
    text = f"{last.rule} in mode {last.mode} again: {which}, {last.state}: {last.why or 'no more is known'}"
    return Moment(last.ended_at or last.created_at, "again", ((text,),))


def _of_alerts(record: Record) -> Iterator[Moment]:
    names = {each.id: each.alertname for each in record.episodes}
    for episode in record.episodes:
        yield Moment(episode.starts_at, "fired", tuple(_fired(episode)))
    for line in record.journal:
        if line.kind != "alert" or line.details.get("effect") in _STILL_FIRING:
            continue
        name = names.get(line.episode_id or 0, "the alert")
        match line.details.get("effect"):
            case "closed":
                yield Moment(line.at, "resolved", ((name,),))
            case "reopened":
                yield Moment(line.at, "fired", ((f"{name} again",),))
            case _:
                yield Moment(line.at, "alert", ((line.text,),))


def _fired(episode: Episode) -> Iterator[Row]:
    labels = {name: value for name, value in episode.labels.items() if name != "alertname"}
    shown = ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
    yield (f"{episode.alertname} {{{shown}}}",)
    for name in ("summary", "description"):
        if episode.annotations.get(name):
            yield (episode.annotations[name],)
    if episode.opened_at > episode.starts_at:
        yield (f"received {lasted(episode.opened_at - episode.starts_at)} later",)


def _of_incident(record: Record) -> Iterator[Moment]:
    for line in record.journal:
        if line.kind == "disposition" and not _says_no_more(line):
            yield Moment(line.at, "decided", ((line.text,),))
        elif line.kind == "target":
            yield Moment(line.at, "target", ((line.text,),))
        elif line.kind == "incident" and not line.text.startswith("opened"):
            yield Moment(line.at, "incident", ((line.text,),))


def _says_no_more(line: Line) -> bool:
    """Whether a run of its own tells the same."""
    decided = line.text.partition(": ")[2]
    return decided.startswith(("planned (", "shadowed ("))


def _facts(
    record: Record, first: Iterable[Run], again: Iterable[Sequence[Run]], began_at: datetime
) -> Iterator[Row]:
    incident = record.incident
    yield ("target", f"{incident.target or 'none could be resolved'} in cluster {incident.cluster}")
    if incident.severity:
        yield ("severity", incident.severity)
    yield ("began", f"{began_at:%Y-%m-%d %H:%M:%S} UTC")
    if incident.closed_at is not None:
        yield ("closed", f"{incident.closed_at:%Y-%m-%d %H:%M:%S} UTC")
    for run in first:
        folded = sum(len(each) for each in again if each[0].rule == run.rule and run.mode == "shadow")
        more = f", and {folded} more of these" if folded else ""
        yield (f"run {run.id}", f"{run.rule} in mode {run.mode}: {run.state}{more}")
    yield from _took(record, first, began_at)
    for runbook in record.runbooks:
        yield ("runbook", runbook)


def _took(record: Record, runs: Iterable[Run], began_at: datetime) -> Iterator[Row]:
    ids = {each.id for each in runs}
    effects = [each.at for each in record.journal if each.kind == "effect" and each.run_id in ids]
    recoveries = [each.ended_at for each in runs if each.state == "RESOLVED" and each.ended_at is not None]
    parts = []
    if effects:
        parts.append(f"{lasted(min(effects) - began_at)} from alert to effect")
    if recoveries:
        parts.append(f"{lasted(max(recoveries) - began_at)} from alert to verified recovery")
    if parts:
        yield ("took", ", ".join(parts))
