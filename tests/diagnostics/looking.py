"""What a diagnostic sees, as the runbook hears it."""

from typing import Any

from remediator.domain.answers import Evidence
from remediator.domain.run_view import RunView
from remediator.runbook.call_step import Unanswered, call_step
from remediator.step import Diagnostic
from tests.guards.facts import Facts
from tests.support.story import deployment

Json = dict[str, Any]


async def looked(facts: Facts, diagnostic: Diagnostic, run: RunView | None = None) -> Evidence:
    """Its evidence; what it leaves unanswered is a look that failed, as in a run."""
    seen = await call_step(
        diagnostic.key(), diagnostic.look(run or facts.run(), facts.kit), diagnostic.deadline
    )
    if isinstance(seen, Unanswered):
        return Evidence(step=diagnostic.key(), summary=seen.why, failed=True)
    return seen


async def runs(facts: Facts, image: str = "app:v1", replicas: int = 2, **container: Any) -> None:
    """The Deployment `api` of two pods, for a minute; `container` goes over what its container says."""
    made = deployment(image, replicas=replicas)
    made["spec"]["template"]["spec"]["containers"][0].update(container)
    facts.emulator.create(made)
    await passes(facts, 60)


async def passes(facts: Facts, seconds: float) -> None:
    await facts.clock.advance(seconds)
    await facts.emulator.catch_up()


def pods_of(facts: Facts) -> list[str]:
    return [each["metadata"]["name"] for each in facts.emulator.list("pods", "shop")]
