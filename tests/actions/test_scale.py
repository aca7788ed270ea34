"""scale: which number it proposes, and what it never does."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from remediator.actions.scale import Scale
from remediator.domain.answers import Proposal
from remediator.domain.change import Scaling
from remediator.domain.target import Target
from remediator.store import replica_counts
from remediator.store.database import Database
from remediator.store.replica_counts import Wanted
from tests.guards.facts import Facts
from tests.support.sets import workload
from tests.support.story import deployment


async def proposed(facts: Facts, scale: Scale, wanted: int, **run: Any) -> Proposal:
    """What is proposed for the Deployment that wants so many now."""
    patch = {"spec": {"replicas": wanted}}
    facts.emulator.patch("deployments", "shop", "api", patch, user="somebody", manager="kubectl")
    return await scale.propose(facts.run(**run), facts.kit)


async def remember(database: Database, facts: Facts, replicas: int, minutes: float) -> None:
    """The memory has seen so many wanted for so long, until now."""
    found = facts.emulator.get("deployments", "shop", "api")
    assert found is not None
    seen = [Wanted(kind="deployment", name="api", uid=found["metadata"]["uid"], replicas=replicas)]
    for wait in (0, minutes * 60):
        await facts.clock.advance(wait)
        async with database.transaction() as connection:
            await replica_counts.remember(connection, "prod", "shop", seen, unseen_after=86_400)


def step(proposal: Proposal) -> tuple[int, int]:
    (change,) = proposal.changes
    assert isinstance(change, Scaling)
    return change.from_replicas, change.to_replicas


def why(proposal: Proposal) -> str:
    assert proposal.changes == ()
    assert proposal.refusal is not None
    return proposal.refusal.why


async def test_it_goes_back_to_what_was_recorded_and_never_down(facts: Facts, database: Database) -> None:
    facts.emulator.create(deployment("app:v1", replicas=3))
    assert "is not recorded" in why(await proposed(facts, Scale(), 1))
    await remember(database, facts, 3, 90)
    for wanted in (0, 1, 2):
        back = await proposed(facts, Scale(), wanted)
        assert step(back) == (wanted, 3)
        assert back.changes[0].ask_because == (f"somebody scaled it down to {wanted}, and may have meant to",)
    for wanted in (3, 5):
        assert "no fewer than were recorded" in why(await proposed(facts, Scale(), wanted))
    assert "more than the 2 that the rule allows" in why(await proposed(facts, Scale(up_to=2), 1))
    await remember(database, facts, 1, 30)
    assert step(await proposed(facts, Scale(), 1)) == (1, 3), "half an hour is not what is meant"
    await remember(database, facts, 1, 31)
    assert "no fewer than were recorded" in why(await proposed(facts, Scale(), 1))


async def test_a_load_gets_a_bounded_step_and_what_is_off_stays_off(facts: Facts) -> None:
    facts.emulator.create(deployment("app:v1", replicas=3))
    more = Scale(by=2, up_to=6)
    up = await proposed(facts, more, 3, depends_on=("statefulset/shop/db",))
    assert step(up) == (3, 5)
    assert up.changes[0].ask_because == ()
    assert up.changes[0].caveats == (
        "whether the connection limits of statefulset/shop/db leave room for 2 more pods",
    )
    assert step(await proposed(facts, more, 5)) == (5, 6)
    assert "wants 6 replicas already, and the rule's most is 6" in why(await proposed(facts, more, 6))
    assert "somebody switched it off" in why(await proposed(facts, more, 0))


async def test_a_daemonset_wants_no_number(facts: Facts) -> None:
    facts.emulator.create(workload("DaemonSet", "app:v1"))
    db = Target(cluster="prod", kind="daemonset", namespace="shop", name="db")
    assert "a pod on each of its nodes" in why(
        await Scale(by=1, up_to=3).propose(facts.run(target=db), facts.kit)
    )


async def test_a_statefulset_asks_as_for_any_change_of_it(facts: Facts) -> None:
    facts.emulator.create(workload("StatefulSet", "app:v1", enabled="true"))
    db = Target(cluster="prod", kind="statefulset", namespace="shop", name="db")
    up = await Scale(by=1, up_to=9).propose(facts.run(target=db), facts.kit)
    assert step(up) == (2, 3)
    assert "with a person's yes" in up.changes[0].ask_because[0]


@pytest.mark.parametrize("fields", [{"by": 2}, {"by": 0, "up_to": 3}, {"by": -1, "up_to": 3}, {"up_to": 0}])
def test_a_rule_names_the_most_and_can_name_nothing_that_leads_down(fields: Any) -> None:
    with pytest.raises(ValidationError):
        Scale(**fields)


def test_what_is_too_old_to_be_kept_cannot_be_gone_back_to() -> None:
    with pytest.raises(ValidationError):
        Scale(max_age=timedelta(days=31))
