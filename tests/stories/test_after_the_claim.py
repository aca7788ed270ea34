"""What changes after the claim, while the change is about to be intended, still stops it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import Action, Exchange, Reply
from tests.support.clock import DrivenClock
from tests.support.story import RESTART, Story, told


@dataclass(frozen=True)
class ThenChange(Action):
    """The request is answered as usual, and before the answer arrives something else changes."""

    change: Callable[[], object]

    async def play(self, exchange: Exchange) -> Reply:
        answer = exchange.apply()
        self.change()
        return answer


def scaled(story: Story) -> None:
    to_four = {"spec": {"replicas": 4}}
    story.emulator.patch("deployments", "shop", "api", to_four, user="somebody", subresource="scale")


def silenced(story: Story) -> None:
    story.alertmanager.silence({"alertname": "HighErrorRate"})


@pytest.mark.parametrize(
    ("change", "said"), [(scaled, "as_planned: since the plan was made"), (silenced, "alert_still_firing: ")]
)
async def test_guards_are_asked_once_more_between_claim_and_intent(
    tmp_path: Path, database_url: str, clock: DrivenClock, change: Callable[[Story], None], said: str
) -> None:
    async with told(tmp_path, database_url, clock, RESTART) as story:
        await story.create("app:v1")
        claim = story.emulator.faults.add(
            Fault(
                "PATCH",
                "/deployments/api$",
                ThenChange(lambda: change(story)),
                when=lambda call, _: b"/spec/template" not in call.body,
            )
        )
        await story.fire()
        assert claim.hits == 1, "it did not claim, so that nothing was proven"
        assert story.effects() == []
        assert said in str((await story.run()).why)
