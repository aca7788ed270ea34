"""The emulator answers as a real API server did: recorded exchanges, replayed in their order and compared.

Times, uids, versions and random names are normalised (kubernetes_equivalence.py); of watches the states
passed through are compared. What may differ is named in kubernetes_scenarios.py with its reason.
"""

import aiohttp
import pytest

from tests.sandbox.kubernetes_cluster import emulator
from tests.sandbox.kubernetes_recordings import exchanges_of
from tests.sandbox.kubernetes_replay import Outcome, Replay
from tests.sandbox.kubernetes_scenarios import SCENARIOS


async def replayed(name: str) -> Outcome:
    """Play one scenario, with the watches that were open meanwhile, to a new emulator."""
    scenario = SCENARIOS[name]
    exchanges = exchanges_of([name, *scenario.parts])
    async with emulator(scenario.pull_seconds) as cluster, aiohttp.ClientSession() as session:
        return await Replay(cluster, session, scenario.never_equal).play(
            exchanges, scenario.present, scenario.unrecorded
        )


@pytest.mark.parametrize("name", SCENARIOS)
async def test_the_emulator_answers_as_was_recorded(name: str) -> None:
    outcome = await replayed(name)
    assert {each: why for each, why in outcome.differ.items() if each not in SCENARIOS[name].explained} == {}
    assert set(SCENARIOS[name].explained) <= set(outcome.differ), "explained, and yet it does not differ"


@pytest.mark.proof
async def test_proof_contract() -> None:
    outcomes = {name: await replayed(name) for name in SCENARIOS}
    differ = {
        f"{name}: {each}"
        for name, outcome in outcomes.items()
        for each in outcome.differ
        if each not in SCENARIOS[name].explained
    }
    explained = sum(len(scenario.explained) for scenario in SCENARIOS.values())
    unimplemented = sum(len(outcome.unimplemented) for outcome in outcomes.values())
    exchanges = sum(outcome.exchanges for outcome in outcomes.values()) - unimplemented - explained
    print(
        f"proof contract: exchanges={exchanges} differ={len(differ)} "
        f"unimplemented={unimplemented} explained={explained}"
    )
    assert differ == set()
