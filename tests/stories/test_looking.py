"""What a run looks at before anything destroys the evidence."""

from pathlib import Path

from tests.support.clock import DrivenClock
from tests.support.story import told

ONLY_LOOKS = """
rules:
  - rule: look
    mode: act
    match: ['{alertname="HighErrorRate"}']
    diagnostics: [pods, events, rollout_history]
"""


async def test_what_several_diagnostics_want_to_know_is_read_once(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, ONLY_LOOKS) as story:
        await story.create("app:v1")
        before = len(story.emulator.requests)
        await story.fire()
        asked = [each for each in story.emulator.requests[before:] if each.path.endswith("/pods")]
        seen = [line for line in await story.journal() if line.kind == "evidence"]
        assert [line.details["step"] for line in seen] == ["pods", "events", "rollout_history"]
        assert len(asked) == 1
