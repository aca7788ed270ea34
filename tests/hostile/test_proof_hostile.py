"""Whatever comes in, the answer says so, nothing is changed, and the next good request works."""

from pathlib import Path

import pytest

from tests.hostile import commands, fuzz, looks, rule_files, webhook
from tests.hostile.under_probe import probed
from tests.support.clock import DrivenClock
from tests.support.proof_lines import Prove

RULES = """
rules:
  - rule: wipe
    mode: act
    match: ['{alertname="Wipe"}']
    diagnostics: [pods, logs, events, rollout_history]
    actions: [restart]
    verifications: [rollout_complete: {within: 5m}]
"""
SEED = 27
TIMES = 3000


@pytest.mark.proof
@pytest.mark.timeout(900)
async def test_proof_hostile(
    tmp_path: Path, real_time_database_url: str, database_url: str, clock: DrivenClock, proof: Prove
) -> None:
    (tmp_path / "probed").mkdir()
    async with probed(tmp_path / "probed", real_time_database_url, RULES) as under:
        messages = await webhook.run(under)
        files = await rule_files.run(under)
        typed = await commands.run(under)
    looked, wrong = await looks.run(tmp_path, database_url, clock)
    fuzzed, broken = fuzz.run(tmp_path, SEED, TIMES)
    violations = [*under.violations, *wrong, *broken]
    measured = {"webhook": messages, "rules": files, "cli": typed, "diagnostics": looked, "fuzzed": fuzzed}
    proof("hostile", **measured, violations=len(violations))
    assert not violations, "\n".join(violations)
    assert messages >= 329
    assert files >= 144
    assert typed >= 82
    assert looked >= 84
