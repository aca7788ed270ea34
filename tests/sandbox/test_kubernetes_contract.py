"""The emulator answers as a real API server did: recorded exchanges, replayed in their order and compared.

Times, uids, versions and random names are normalised (kubernetes_equivalence.py); of watches the states
passed through are compared. What may differ is named in kubernetes_known_differences.py with its reason.
"""

from pathlib import Path

import aiohttp
import pytest

from tests.sandbox.kubernetes_cluster import emulator
from tests.sandbox.kubernetes_recordings import RECORDINGS, count, exchanges_of
from tests.sandbox.kubernetes_replay import Outcome, Replay
from tests.sandbox.kubernetes_scenarios import SCENARIOS
from tests.support.proof_lines import Prove

DECISIONS = Path(__file__).parents[2] / "docs" / "decisions.md"
EXCHANGES = 772
"""Recorded requests with an answer."""
WHOLE = {
    "rollback-json-patch",
    "deployment-rollout",
    "kubectl-deployment",
    "statefulset-daemonset",
    "kubectl-statefulset",
    "kubectl-daemonset",
    "concurrency",
    "pods-logs",
    "watch-protocol",
}
"""Recordings of which every exchange must be equal, unless docs/decisions.md says why it is not."""


async def replayed(name: str) -> Outcome:
    """Play one scenario, with the watches that were open meanwhile, to a new emulator."""
    scenario = SCENARIOS[name]
    exchanges = exchanges_of([name, *scenario.parts])
    async with (
        emulator(scenario.pull_seconds, watch_list=scenario.watch_list) as cluster,
        aiohttp.ClientSession() as session,
    ):
        replay = Replay(cluster, session, scenario.never_equal)
        return await replay.play(exchanges, scenario.present, scenario.unrecorded)


@pytest.mark.parametrize("name", SCENARIOS)
async def test_the_emulator_answers_as_was_recorded(name: str) -> None:
    outcome = await replayed(name)
    explained = SCENARIOS[name].explained
    assert outcome.exchanges == len(exchanges_of([name, *SCENARIOS[name].parts]))
    assert {each: why for each, why in outcome.differ.items() if each not in explained} == {}
    assert set(explained) <= set(outcome.differ), "explained, and yet it does not differ"
    not_equal = {*outcome.differ, *outcome.unimplemented} & _must_be_whole(name)
    decisions = DECISIONS.read_text()
    assert {each for each in not_equal if f"`{each}`" not in decisions} == set(), "no decision says why"


def _must_be_whole(name: str) -> set[str]:
    parts = [part for part in (name, *SCENARIOS[name].parts) if part in WHOLE or name in WHOLE]
    return {exchange["name"] for part in parts for exchange in exchanges_of([part])}


def test_every_recording_is_replayed() -> None:
    replayed_ones = {part for name, scenario in SCENARIOS.items() for part in (name, *scenario.parts)}
    without_exchanges = {"generation"}
    assert {path.stem for path in RECORDINGS.glob("*.json")} == replayed_ones | without_exchanges
    assert count() == EXCHANGES


@pytest.mark.proof
async def test_proof_contract(proof: Prove) -> None:
    equal = differ = unimplemented = 0
    for name, scenario in SCENARIOS.items():
        outcome = await replayed(name)
        unexplained = set(outcome.differ) - set(scenario.explained)
        not_done = set(outcome.unimplemented) | (set(outcome.differ) & set(scenario.explained))
        differ += len(unexplained)
        unimplemented += len(not_done)
        equal += outcome.exchanges - len(unexplained) - len(not_done)
    proof("contract", exchanges=equal, differ=differ, unimplemented=unimplemented)
    assert differ == 0
    assert equal + unimplemented == EXCHANGES
    assert equal >= 480
