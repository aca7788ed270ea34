"""In each situation the guards together say of each change what they have to: no more and no less."""

import asyncio
import re
from pathlib import Path

import pytest

from remediator.run import Run, State
from remediator.runbook.ask_guards import ask_guards
from tests.proofs.scenes import ACTIONS, Action, Scene, Stage, staged
from tests.proofs.situations import ALLOW, NOT_PROPOSED, SITUATIONS, Situation
from tests.support.databases import Databases
from tests.support.proof_lines import Prove

Cell = tuple[str, Action]


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_proof_situations(tmp_path: Path, databases: Databases, proof: Prove) -> None:
    cells = {(name, action): each for name, each in SITUATIONS.items() for action in each.expected}
    with databases.clone("driven") as dsn:
        said = asyncio.run(_said(tmp_path, dsn, cells))
    wrong = {cell: word for cell, word in said.items() if word != cells[cell].expected[cell[1]]}
    allowed = sum(each.expected[action] == ALLOW for (_, action), each in cells.items())
    measured = {"cells": len(said), "allowed": allowed, "wrong": len(wrong)}
    proof("situations", situations=len(SITUATIONS), changes=len(ACTIONS), **measured)
    assert wrong == {}
    assert len(said) == len(cells)


async def _said(tmp_path: Path, dsn: str, cells: dict[Cell, Situation]) -> dict[Cell, str]:
    scenes = {cell: each.scene(_namespace(cell), cell[1]) for cell, each in cells.items()}
    async with staged(tmp_path, dsn, list(scenes.values())) as stage:
        await stage.soak()
        for cell, each in cells.items():
            if each.before is not None:
                each.before(stage, scenes[cell])
            stage.release(scenes[cell])
        await stage.wait(225, 112.5)
        for cell, each in cells.items():
            if each.after is not None:
                each.after(stage, scenes[cell])
        await stage.wait(15)
        await stage.fire()
        runs = await stage.stand(_proposed)
        return {cell: await _asked(stage, each, scenes[cell], runs) for cell, each in cells.items()}


def _proposed(scene: Scene, state: State, made: int) -> bool:
    return state is State.PROPOSED


def _namespace(cell: Cell) -> str:
    return re.sub(r"[^a-z]+", "-", f"{cell[1]} {cell[0]}".lower())[:60].strip("-")


async def _asked(stage: Stage, situation: Situation, scene: Scene, runs: dict[str, Run]) -> str:
    run = runs[scene.namespace]
    if run.plan is None:
        return NOT_PROPOSED
    if situation.then is not None:
        situation.then(stage, scene)
    change = run.plan.changes[-1] if scene.action == "evict" else run.plan.changes[0]
    verdicts = await ask_guards(stage.story.daemon.worker._desk, run, change)
    if situation.undo is not None:
        situation.undo(stage, scene)
    against = sorted({each.guard for each in verdicts if not each.allows})
    return " ".join(against) or ALLOW
