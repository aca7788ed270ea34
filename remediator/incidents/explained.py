"""Why a run did what it did, section by section, and what would have to be otherwise for it to act. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from remediator.incidents.moment import Row
from remediator.incidents.record import Line, Record, Run
from remediator.incidents.run_story import transitions

_ANSWERS = {"refuse": "no", "unknown": "cannot know", "ask": "ask a person", "allow": "yes"}
"""In the order in which they matter."""
_WAITING_FOR_A_PERSON = "CLEARED"
_MAY_ACT = ("ask", "act")


class Section(NamedTuple):
    """Rows under a title."""

    title: str
    rows: tuple[Row, ...]


def explained(record: Record, run_id: int) -> tuple[Section, ...]:
    """The sections about one run of the record; those of which nothing is known are left out."""
    run = next(each for each in record.runs if each.id == run_id)
    lines = [each for each in record.journal if each.run_id == run_id]
    verdicts = _last_asking(lines)
    every = (
        Section("run", tuple(_run(run))),
        Section("rules", tuple(_rules(lines, run))),
        Section("target", tuple(_target(record, lines))),
        Section("change", tuple((each.text,) for each in lines if each.kind == "proposed")),
        Section("guards", tuple(_guards(verdicts))),
        Section("for it to act", tuple((each,) for each in _to_act(run, lines, verdicts))),
    )
    return tuple(each for each in every if each.rows)


def _run(run: Run) -> Iterator[Row]:
    yield (f"run {run.id}", f"rule {run.rule} in mode {run.mode} for {run.target}")
    yield (run.state, run.why or "")


def _rules(lines: Sequence[Line], run: Run) -> Iterator[Row]:
    """What bid for the target when the run was made. Rules that matched nothing are not among them."""
    planned = next((each for each in lines if each.kind == "planned"), None)
    details = planned.details if planned is not None else {}
    bids = details.get("bids", ())
    # A run in shadow holds nothing: the target is for the first of those that may act.
    holds = next((each["rule"] for each in bids if each["mode"] in _MAY_ACT), None)
    for bid in bids:
        if bid["rule"] == run.rule:
            part = "the run is its own"
        elif bid["rule"] == holds and run.mode == "shadow":
            part = "comes first of those that may act"
        elif bid["mode"] in _MAY_ACT:
            part = f"left it to {holds}"
        else:
            part = "only looks" if bid["mode"] == "shadow" else "does nothing"
        standing = f"priority {bid['priority']}, mode {bid['mode']}: {bid['why']}"
        more = bid.get("alerts", 1) - 1
        yield (bid["rule"], part, f"{standing} ({bid['alert']}{f' and {more} more' if more else ''})")
    if left_out := details.get("rules_left_out"):
        yield (f"{left_out} more rules", "come after these")


def _target(record: Record, lines: Sequence[Line]) -> Iterator[Row]:
    planned = next((each for each in lines if each.kind == "planned"), None)
    episode = planned.details.get("episode") if planned is not None else None
    for line in record.journal:
        if line.kind == "target" and line.episode_id == episode:
            yield (line.text,)


def _last_asking(lines: Sequence[Line]) -> list[Mapping[str, Any]]:
    """The verdicts of the last time the guards were asked and it was written down."""
    asked = [[each for each in block if each.kind == "guard"] for block in transitions(lines)]
    return [each.details for each in next((block for block in reversed(asked) if block), [])]


def _guards(verdicts: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    for answer, word in _ANSWERS.items():
        for each in verdicts:
            if each["answer"] == answer:
                inputs = ", ".join(f"{name}={value}" for name, value in (each.get("inputs") or {}).items())
                yield (each["guard"], word, each["why"] + (f" [{inputs}]" if inputs else ""))


def _to_act(run: Run, lines: Sequence[Line], verdicts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if any(each.kind == "intent" for each in lines):
        return  # it did
    if run.mode == "shadow":
        yield f"rule {run.rule} would have to be in mode act or ask: `remediator rules list` says what holds it"
    if run.state == _WAITING_FOR_A_PERSON:
        yield f"a person has to agree: remediator runs approve {run.id}"
    yield from (_needed(each) for each in verdicts if each["answer"] != "allow")
    if not verdicts and run.state != _WAITING_FOR_A_PERSON and run.why:
        yield f"what stands against it comes before any guard: {run.why}"


def _needed(verdict: Mapping[str, Any]) -> str:
    """What it would take for this verdict to be a yes."""
    guard, why = verdict["guard"], verdict["why"]
    if verdict["answer"] == "ask":
        return f"a person has to agree, since {why} ({guard})"
    if verdict["answer"] == "unknown":
        return f"{guard} has to be able to know: {why}"
    how = "which it may by itself" if verdict.get("passing") else "which takes a change"
    return f"{guard} has to let it pass, {how}: {why}"
