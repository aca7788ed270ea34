"""Every guard, whatever its sources do: only an answer that allows lets a change pass, and no guard goes unnoticed."""

import asyncio
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, AsyncExitStack
from pathlib import Path

import pytest

from remediator.catalogue import ALWAYS_ON
from remediator.guards.rule_in_force import RuleInForce
from remediator.rulebook.shape import STEPS
from tests.proofs.asking import Answer, Asker, Gate, Question, asker
from tests.proofs.guard_scenes import GuardStage, guard_stage
from tests.proofs.outcomes import ALERTMANAGER, HANGS, KUBERNETES, NOT_PRODUCED, OUTCOMES, PROMETHEUS
from tests.proofs.rows import ROWS, Row
from tests.support.databases import Databases
from tests.support.proof_lines import Prove

_AT_ONCE = 6
"""So many daemons are asked at the same time, so that no answer is late for want of a processor."""

Source = tuple[str, str]


def test_every_guard_of_the_catalogue_has_its_rows_and_nothing_else_has() -> None:
    known = {row.guard.key() for row in ROWS}
    assert known == set(STEPS["guards"])
    assert {row.guard.key() for row in ROWS if row.always_on} == {each.key() for each in ALWAYS_ON}


def test_every_outcome_is_produced_by_each_source_or_said_not_to_be() -> None:
    produced = {"kubernetes": set(KUBERNETES), "alertmanager": set(ALERTMANAGER) | {HANGS}}
    produced["prometheus"] = set(PROMETHEUS) | {HANGS}
    produced["database"] = {"raises", HANGS}
    for source, able in produced.items():
        not_able = {outcome for of, outcome in NOT_PRODUCED if of == source}
        assert able | not_able == set(OUTCOMES[2:]), source
        assert not able & not_able, source


class Tally:
    """What was asked and what was wrong with the answers."""

    def __init__(self) -> None:
        self.cells = 0
        self.wrong: list[str] = []
        self.unnoticed: list[str] = []
        self.seen: set[tuple[str, str]] = set()

    def cell(self, row: Row, outcome: str, where: str, answer: Answer, *expected: str) -> None:
        self.cells += 1
        self.seen.add((row.guard.key(), outcome))
        allowed = answer.word in ("allow", "nothing")
        if answer.word not in expected or answer.permitted != allowed:
            permitted = ", and the change is permitted" if answer.permitted else ""
            self.wrong.append(
                f"{row.guard.key()} x {outcome} ({where}): {answer.word}, wanted {expected}{permitted}; {answer.why}"
            )


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_proof_guards(tmp_path: Path, databases: Databases, proof: Prove) -> None:
    tally = Tally()
    sockets = Path(tempfile.mkdtemp(prefix="g-"))
    try:
        with databases.clone("driven") as dsn:
            asyncio.run(_prove(tmp_path, sockets, dsn, tally))
    finally:
        shutil.rmtree(sockets)
    guards = {row.guard.key() for row in ROWS}
    print("", *tally.wrong, *tally.unnoticed, sep="\n")
    wrong, unnoticed = len(tally.wrong), len(tally.unnoticed)
    proof(
        "guards",
        guards=len(guards),
        outcomes=len(OUTCOMES),
        wrong=wrong,
        unnoticed=unnoticed,
        cells=tally.cells,
    )
    assert tally.wrong == []
    assert tally.unnoticed == []


async def _prove(tmp_path: Path, sockets: Path, dsn: str, tally: Tally) -> None:
    async with guard_stage(tmp_path, dsn) as stage:
        gates = {"alertmanager": Gate(stage.story.alertmanager), "prometheus": Gate(stage.story.prometheus)}
        for number, row in enumerate(ROWS):
            await _alone(stage, sockets / f"a{number}", row, tally)
        turn = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(
            *(
                _failing(stage, sockets / f"f{number}", gates, row, turn, tally)
                for number, row in enumerate(ROWS)
            )
        )


async def _alone(stage: GuardStage, folder: Path, row: Row, tally: Tally) -> None:
    """The guard alone stands in the way; without it the change would be permitted, or its caveat be missing."""
    key = row.guard.key()
    always_on = stage.story.daemon.worker._desk.always_on
    others = tuple(each for each in always_on if type(each) is not type(row.guard))
    async with (
        row.alone(stage) as question,
        asker(folder.name, stage.story, folder, question.settings) as daemon,
    ):
        answer = await daemon.ask([row.guard], question)
        tally.cell(row, "refuse", "alone", answer, row.says)
        together = await daemon.ask([*others, row.guard], question)
        without = await daemon.ask(others, question)
    if row.says == "allow":
        differs = together.permitted and without.permitted and together.caveats != without.caveats
    else:
        differs = together.against == (key,) and without.permitted
    if not differs:
        tally.unnoticed.append(f"{key}: with it {together}, without it {without}")


async def _failing(
    stage: GuardStage, folder: Path, gates: dict[str, Gate], row: Row, turn: asyncio.Semaphore, tally: Tally
) -> None:
    """It allows while its sources answer, and does not while one of them fails in any way."""
    question = row.allows(stage)
    async with AsyncExitStack() as opened:
        async with turn:
            daemon = await opened.enter_async_context(
                asker(folder.name, stage.story, folder, question.settings, loads_rules=_about_rules(row))
            )
            tally.cell(
                row, "allow", "all is well", await daemon.ask([row.guard], question), "allow", "nothing"
            )
            sources = sorted(await _sources(daemon, gates, row, question))
            for outcome in OUTCOMES:
                if outcome != HANGS:
                    await _each_source(daemon, gates, row, question, sources, outcome, tally)
            if ("database", "") in sources:
                with daemon.cable.cut():
                    answer = await daemon.ask([row.guard], question)
                tally.cell(row, "raises", "database", answer, "unknown", "raised")
        # Hanging takes no processor: all of them wait side by side, each with a daemon of its own.
        await asyncio.gather(
            *(
                _hanging(stage, folder, number, gates, row, source, tally)
                for number, source in enumerate(sources)
            )
        )


async def _sources(daemon: Asker, gates: dict[str, Gate], row: Row, question: Question) -> set[Source]:
    """What the guard really asks while it allows."""
    asked = await daemon.sources([row.guard], question)
    return asked | {
        (kind, path) for kind, gate in gates.items() for who, path in gate.asked if who == daemon.name
    }


def _about_rules(row: Row) -> bool:
    return isinstance(row.guard, RuleInForce)


async def _each_source(
    daemon: Asker,
    gates: dict[str, Gate],
    row: Row,
    question: Question,
    sources: Sequence[Source],
    outcome: str,
    tally: Tally,
) -> None:
    for source in sources:
        for failing in _failures(daemon, gates, source, outcome):
            with failing:
                answer = await daemon.ask([row.guard], question)
            tally.cell(row, outcome, " ".join(source), answer, *_expected(row, source, outcome))


def _failures(
    daemon: Asker, gates: dict[str, Gate], source: Source, outcome: str
) -> Iterator[AbstractContextManager[object]]:
    kind, path = source
    if kind == "kubernetes":
        for action in KUBERNETES.get(outcome, ()):
            yield daemon.kubernetes(path, action)
    elif kind in gates:
        table = ALERTMANAGER if kind == "alertmanager" else PROMETHEUS
        for interference in table.get(outcome, ()):
            yield gates[kind].interfering(daemon.name, path, interference)


def _expected(row: Row, source: Source, outcome: str) -> tuple[str, ...]:
    for (end, overlooked), _ in row.overlooks.items():
        pattern = re.escape(end).replace(r"\*", "[^/]+") + "$"
        if overlooked == outcome and re.search(pattern, source[1]):
            return ("allow", "unknown")
    # That there is no such object is an answer: some guards refuse for it.
    return ("unknown", "refuse") if outcome in ("404", "empty") else ("unknown",)


async def _hanging(
    stage: GuardStage,
    folder: Path,
    number: int,
    gates: dict[str, Gate],
    row: Row,
    source: Source,
    tally: Tally,
) -> None:
    question, (kind, path) = row.allows(stage), source
    name = f"{folder.name}-{number}"
    folder = folder.with_name(name)
    async with asker(name, stage.story, folder, question.settings, loads_rules=_about_rules(row)) as daemon:
        if kind == "kubernetes":
            failing: AbstractContextManager[object] = daemon.kubernetes(path, KUBERNETES[HANGS][0])
        elif kind == "database":
            failing = daemon.cable.hanging()
        else:
            failing = gates[kind].hanging(daemon.name, path)
        with failing:
            answer = await daemon.ask([row.guard], question)
        expected = ("unknown", "raised") if kind == "database" else _expected(row, source, HANGS)
        tally.cell(row, HANGS, " ".join(source), answer, *expected)
