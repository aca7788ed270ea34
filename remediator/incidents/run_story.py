"""What one run did, from its lines of the journal.

The lines of one transition are stored together and end with its `state` or `held` line. Each becomes
a few moments, and what was told once and has not changed is not told again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from remediator.incidents.moment import Moment, Row, lasted
from remediator.incidents.record import Attempt, Line, Run
from remediator.incidents.undo import how_to_undo
from remediator.incidents.versions import VERSIONS, versions_table

_ENDINGS = frozenset({"RESOLVED", "BLOCKED", "SHADOWED", "DECLINED", "CANCELLED", "ESCALATED", "UNKNOWN"})
_NOTHING_TO_ADD = {
    "BLOCKED": "nothing was changed",
    "CANCELLED": "nothing was changed",
}
_GUARD_WORDS = {"ask": "ask a person", "refuse": "no", "unknown": "cannot know"}
_KINDS_WITH_A_PLACE = frozenset(
    {
        "planned",
        "handover",
        "evidence",
        "proposed",
        "guard",
        "intent",
        "effect",
        "outcome",
        "verification",
        "state",
        "held",
    }
)


class RunStory:
    """Tells one run; made for it alone, because it remembers what it has told."""

    def __init__(self, run: Run, attempts: Iterable[Attempt]) -> None:
        self._run = run
        self._attempts = {each.marker: each for each in attempts if each.run_id == run.id}
        self._told: dict[tuple[str, str, int], Row] = {}
        self._intents: dict[str, Line] = {}

    def moments(self, journal: Iterable[Line]) -> list[Moment]:
        """The run's moments, oldest first."""
        lines = [each for each in journal if each.run_id == self._run.id]
        return [moment for block in transitions(lines) for moment in self._transition(block)]

    def _transition(self, block: Sequence[Line]) -> Iterator[Moment]:
        last = block[-1]
        of_kind: dict[str, list[Line]] = {}
        for line in block:
            of_kind.setdefault(line.kind if line.kind in _KINDS_WITH_A_PLACE else "other", []).append(line)
        for line in of_kind.get("planned", []):
            yield self._moment(line.at, f"run {self._run.id}", [(_after(line.text, ": "),)])
        for line in of_kind.get("handover", []):
            yield self._moment(line.at, "handed over", _handover(line))
        for line in of_kind.get("other", []):
            yield self._moment(line.at, line.kind, [(line.text,)])
        looks = of_kind.get("evidence", [])
        seen = [_look(each) for each in looks if each.details.get("step") != VERSIONS]
        yield from self._news(last.at, "saw", seen)
        yield from self._proposed(of_kind.get("proposed", []), looks, last.at)
        yield from self._guards(of_kind.get("guard", []), last.at)
        yield from self._changes(block)
        found = [_finding(each) for each in of_kind.get("verification", [])]
        yield from self._news(last.at, "verified", found, cells=2 if last.kind == "held" else None)
        yield from self._closing(last, block)

    def _proposed(self, plans: list[Line], looks: list[Line], at: datetime) -> Iterator[Moment]:
        rows: list[Row] = []
        for line in plans:
            rows.append((line.text,))
            rows += [("a person has to agree:", each) for each in line.details.get("ask_because", ())]
            rows += [("not observed:", each) for each in line.details.get("caveats", ())]
        yield from self._news(at, "proposed", rows)
        chosen = frozenset(str(each.details.get("to")) for each in plans)
        for look in looks:
            if look.details.get("step") == VERSIONS:
                yield from self._news(at, "versions", versions_table(look.details, chosen))

    def _guards(self, lines: list[Line], at: datetime) -> Iterator[Moment]:
        against = [each for each in lines if each.details.get("answer") in _GUARD_WORDS]
        refusing = {each.details.get("guard") for each in against}
        allowing = dict.fromkeys(str(each.details.get("guard")) for each in lines)
        names = [each for each in allowing if each not in refusing]
        rows: list[Row] = [(f"{len(names)} say yes: {', '.join(names)}",)] if names else []
        rows += [("to be known:", caveat) for each in lines for caveat in each.details.get("caveats", ())]
        rows += [
            (str(each.details["guard"]), _GUARD_WORDS[each.details["answer"]], str(each.details.get("why")))
            for each in against
        ]
        yield from self._news(at, "guards", rows)

    def _changes(self, block: Sequence[Line]) -> Iterator[Moment]:
        outcomes = {each.details.get("attempt") for each in block if each.kind in ("effect", "outcome")}
        for line in block:
            marker = str(line.details.get("attempt"))
            if line.kind == "intent":
                self._intents[marker] = line
                if marker not in outcomes:
                    yield self._moment(line.at, "sending", [(_from_to(line),)])
            elif line.kind in ("effect", "outcome"):
                yield self._moment(
                    line.at, "changed" if line.kind == "effect" else "outcome", self._outcome(line, marker)
                )

    def _outcome(self, line: Line, marker: str) -> list[Row]:
        intent = self._intents.get(marker)
        if intent is None:
            return [(line.text,)]
        rows: list[Row] = [(_from_to(intent),), (line.text.removeprefix(f"{intent.text}: "),)]
        attempt = self._attempts.get(marker)
        undo = how_to_undo(attempt) if attempt is not None else None
        return [*rows, (f"undo: {undo}",)] if undo is not None else rows

    def _closing(self, line: Line, block: Sequence[Line]) -> Iterator[Moment]:
        state = str(line.details.get("to"))
        text = _without(line.text.removeprefix(f"{state}: "), block)
        if line.kind == "held":
            if not any(each.kind == "verification" for each in block):
                yield self._moment(
                    line.at, "waiting", [(text or "it is asked again until the alert clears",)]
                )
        elif line.kind == "state" and state in _ENDINGS:
            after = f"after {lasted(line.at - self._run.created_at)}"
            said = text or _NOTHING_TO_ADD.get(state)
            yield self._moment(line.at, state, [(f"{after}: {said}" if said else after,)])
        elif line.kind == "state" and state == "PLANNED":
            self._told.clear()
            yield self._moment(line.at, "next rung", [(text,)])

    def _news(
        self, at: datetime, label: str, rows: Iterable[Row], cells: int | None = None
    ) -> Iterator[Moment]:
        """Those rows that were not told before; of each only the first `cells` are compared."""
        fresh: list[Row] = []
        times: dict[str, int] = {}
        for row in rows:
            name = row[0] if len(row) > 1 else ""
            times[name] = times.get(name, 0) + 1
            key = (label, name, times[name])
            if self._told.get(key, ())[:cells] != row[:cells]:
                fresh.append(row)
            self._told[key] = row
        if fresh:
            yield self._moment(at, label, fresh)

    def _moment(self, at: datetime, label: str, rows: Iterable[Row]) -> Moment:
        return Moment(at, label, tuple(rows), self._run.id)


def transitions(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """The lines of one run in blocks, one for each transition or hold."""
    block: list[Line] = []
    for line in lines:
        block.append(line)
        if line.kind in ("state", "held"):
            yield block
            block = []
    if block:
        yield block


def _look(line: Line) -> Row:
    summary = str(line.details.get("summary", line.text))
    failed = "could not look: " if line.details.get("failed") else ""
    return (str(line.details.get("step", "")), failed + summary)


def _finding(line: Line) -> Row:
    answer = str(line.details.get("answer", "")).replace("_", " ")
    return (line.text.partition(":")[0], answer, str(line.details.get("why", "")))


def _handover(line: Line) -> Iterator[Row]:
    """What it is and what stands against it; its commands stand below the timeline."""
    yield (line.text,)
    for tick in line.details.get("ticks", ()):
        if tick["answer"] != "yes":
            yield (f"{tick['text']}: {tick['answer']} ({tick['why']})",)


def _from_to(intent: Line) -> str:
    return f"{intent.details.get('from')} -> {intent.details.get('to')}"


def _after(text: str, mark: str) -> str:
    return text.partition(mark)[2] or text


def _without(text: str, block: Sequence[Line]) -> str:
    """What a closing line says beyond the lines it closes, most of which it repeats."""
    for line in block[:-1]:
        details: Mapping[str, object] = line.details
        for said in (line.text, f"{details.get('guard')}: {details.get('why')}", details.get("summary")):
            if said:
                text = text.replace(str(said), "")
    while (shorter := text.replace("()", "").replace("; ;", ";").strip(" ;:")) != text:
        text = shorter
    return text
