"""Budgets count every effect of every replica, and never leave a plan half made."""

from dataclasses import replace

import pytest

from remediator.domain.answers import GuardVerdict
from remediator.guards.budget import Budget
from remediator.guards.cooldown import Cooldown
from remediator.guards.limit import Limit
from remediator.run import Run
from remediator.step import Guard
from remediator.store.attempts import Attempt, Outcome
from remediator.store.database import Database
from tests.support.clock import DrivenClock
from tests.support.intents import approved, intend, move, outcome

WIDE = Budget(everywhere=100, in_namespace=100, unsettled=100)


async def made(database: Database, run: Run, *guards: Guard, index: int = 0) -> Attempt:
    """The intent is committed; fails with the refusal when it is not."""
    answer = await intend(database, run, *guards, index=index)
    assert isinstance(answer, Attempt), answer
    return answer


async def refused(database: Database, run: Run, *guards: Guard, index: int = 0) -> GuardVerdict:
    """The one verdict that stands in the way."""
    answer = await intend(database, run, *guards, index=index)
    assert isinstance(answer, tuple), "it was not refused"
    (against,) = [each for each in answer if not each.allows]
    return against


async def a_settled_effect(database: Database, name: str, *, namespace: str = "shop") -> Run:
    run = await approved(database, name, namespace=namespace)
    await outcome(database, run, await made(database, run, WIDE))
    await move(database, run, "RESOLVED")
    return run


async def test_the_third_effect_in_a_namespace_waits_until_the_first_is_a_window_old(
    database: Database, clock: DrivenClock
) -> None:
    first = await a_settled_effect(database, "a")
    await clock.advance(60)
    second = await a_settled_effect(database, "b")
    third = await approved(database, "c")
    await clock.advance(9 * 60 - 1)
    against = await refused(database, third, Budget())
    assert against.passing
    assert f"taken, by run {first.id}, run {second.id}" in against.why
    assert against.inputs["held_by"] == [
        f"run {first.id} on deployment/shop/a (1 made, 0 to come)",
        f"run {second.id} on deployment/shop/b (1 made, 0 to come)",
    ]
    assert (against.inputs["count"], against.inputs["of"], against.inputs["fewer_than"]) == (
        2,
        "namespace",
        3,
    )
    await clock.advance(1)
    await made(database, third, Budget())


async def test_the_sixth_effect_anywhere_waits(database: Database, clock: DrivenClock) -> None:
    for number in range(5):
        await a_settled_effect(database, "a", namespace=f"shop-{number}")
    sixth = await approved(database, "a", namespace="other")
    assert "5 effects in 10m everywhere" in (await refused(database, sixth, Budget())).why
    await clock.advance(600)
    await made(database, sixth, Budget())


async def test_a_slot_is_taken_until_a_window_after_the_outcome_and_not_after_the_intent(
    database: Database, clock: DrivenClock
) -> None:
    budget = Budget(in_namespace=1, unsettled=10)
    first, second = await approved(database, "a"), await approved(database, "b")
    attempt = await made(database, first, budget)
    await clock.advance(3600)
    assert not (await refused(database, second, budget)).allows
    await outcome(database, first, attempt)
    await clock.advance(599)
    assert not (await refused(database, second, budget)).allows
    await clock.advance(1)
    await made(database, second, budget)


async def test_a_third_effect_waits_while_two_are_unsettled(database: Database, clock: DrivenClock) -> None:
    budget = Budget(everywhere=100, in_namespace=100)
    two = [await approved(database, name) for name in "ab"]
    for run in two:
        await outcome(database, run, await made(database, run, budget))
        await move(database, run, "ACTED")
    third = await approved(database, "c")
    await clock.advance(3600)
    assert "2 unsettled effects at once" in (await refused(database, third, budget)).why
    await move(database, two[0], "ESCALATED")
    await made(database, third, budget)


async def test_an_effect_in_doubt_is_unsettled_until_a_person_settles_it(
    database: Database, clock: DrivenClock
) -> None:
    budget = Budget(everywhere=100, in_namespace=100, unsettled=1)
    doubtful, other = await approved(database, "a"), await approved(database, "b")
    await outcome(database, doubtful, await made(database, doubtful, budget), "unknown")
    await move(database, doubtful, "UNKNOWN")
    await clock.advance(24 * 3600)
    assert not (await refused(database, other, budget)).allows
    await move(database, doubtful, "ESCALATED")
    await made(database, other, budget)


async def test_the_next_rung_is_not_kept_waiting_by_the_effect_of_the_last(
    database: Database, clock: DrivenClock
) -> None:
    budget = Budget(everywhere=100, in_namespace=100, unsettled=1)
    run = await approved(database, "a", changes=1)
    await outcome(database, run, await made(database, run, budget))
    async with database.connection() as connection:
        await connection.execute("update runs set rung = 1 where id = $1", run.id)
    await made(database, replace(run, rung=1), budget)


async def test_a_plan_begins_only_when_there_is_room_for_all_its_changes(
    database: Database, clock: DrivenClock
) -> None:
    budget = Budget(in_namespace=2, unsettled=100)
    await a_settled_effect(database, "a")
    stuck = await approved(database, "db", changes=2)
    against = await refused(database, stuck, budget)
    assert (against.passing, against.inputs["count"], against.inputs["needs"]) == (True, 1, 2)


async def test_what_a_begun_plan_has_still_to_make_is_kept_free_for_it(
    database: Database, clock: DrivenClock
) -> None:
    budget = Budget(in_namespace=2, unsettled=100)
    stuck, other = await approved(database, "db", changes=2), await approved(database, "b")
    await outcome(database, stuck, await made(database, stuck, budget))
    against = await refused(database, other, budget)
    assert against.inputs["held_by"] == [f"run {stuck.id} on deployment/shop/db (1 made, 1 to come)"]
    await made(database, stuck, budget, index=1)
    assert not (await refused(database, other, budget)).allows


async def test_what_a_plan_did_not_need_after_all_is_free_when_it_is_carried_out(
    database: Database, clock: DrivenClock
) -> None:
    budget = Budget(in_namespace=2, unsettled=100)
    stuck, other = await approved(database, "db", changes=2), await approved(database, "b")
    await outcome(database, stuck, await made(database, stuck, budget))
    await move(database, stuck, "ACTED")
    await made(database, other, budget)


async def test_two_plans_that_wait_do_not_keep_each_other_waiting(
    database: Database, clock: DrivenClock
) -> None:
    budget = Budget(in_namespace=2, unsettled=2)
    await a_settled_effect(database, "a")
    one, two = [await approved(database, name, changes=2) for name in ("b", "c")]
    assert not (await refused(database, one, budget)).allows
    assert not (await refused(database, two, budget)).allows
    await clock.advance(600)
    await made(database, one, budget)
    assert not (await refused(database, two, Budget(in_namespace=2, unsettled=100))).allows


async def test_a_plan_that_no_budget_could_ever_hold_is_refused_for_good(
    database: Database, clock: DrivenClock
) -> None:
    run = await approved(database, "db", changes=3)
    answer = await intend(database, run, Budget())
    assert isinstance(answer, tuple)
    lasting = [each.why for each in answer if not each.allows and not each.passing]
    assert len(lasting) == 2
    assert all("there can never be room" in each for each in lasting)


@pytest.mark.parametrize(
    ("said", "sent", "counts"),
    [
        ("applied", True, True),
        ("applied_then_changed", True, True),
        ("superseded", True, True),
        ("target_replaced", True, True),
        ("unknown", True, True),
        ("superseded", False, False),
        ("converged", True, False),
        ("not_applied", True, False),
    ],
)
async def test_what_may_have_been_an_effect_takes_a_slot(
    database: Database, clock: DrivenClock, said: Outcome, sent: bool, counts: bool
) -> None:
    budget = Budget(in_namespace=1, unsettled=100)
    run, other = await approved(database, "a"), await approved(database, "b")
    attempt = await made(database, run, budget)
    if sent:
        async with database.connection() as connection:
            await connection.execute("update attempts set sends = 1 where id = $1", attempt.id)
    await outcome(database, run, attempt, said)
    assert isinstance(await intend(database, other, budget), tuple) is counts


@pytest.mark.parametrize(
    ("of", "name", "namespace", "rule", "counts"),
    [
        ("target", "a", "shop", "other", True),
        ("target", "a", "elsewhere", "hung", False),
        ("target", "b", "shop", "hung", False),
        ("rule", "b", "elsewhere", "hung", True),
        ("rule", "a", "shop", "other", False),
        ("namespace", "b", "shop", "other", True),
        ("namespace", "a", "elsewhere", "hung", False),
        ("everything", "b", "elsewhere", "other", True),
    ],
)
async def test_a_limit_counts_in_its_scope(
    database: Database, clock: DrivenClock, of: str, name: str, namespace: str, rule: str, counts: bool
) -> None:
    limit = Limit.model_validate({"effects": 1, "per": "1h", "of": of})
    await a_settled_effect(database, "a")
    run = await approved(database, name, namespace=namespace, rule=rule)
    assert isinstance(await intend(database, run, limit), tuple) is counts


async def test_of_several_limits_each_must_hold(database: Database, clock: DrivenClock) -> None:
    limits = [Limit.model_validate({"effects": 1, "per": per, "of": "namespace"}) for per in ("10m", "1h")]
    await a_settled_effect(database, "a")
    run = await approved(database, "b")
    await clock.advance(1800)
    assert "per 1h" in (await refused(database, run, *limits)).why
    await clock.advance(1800)
    await made(database, run, *limits)


async def test_a_cure_of_two_changes_is_one_effect_to_a_limit_before_and_after(
    database: Database, clock: DrivenClock
) -> None:
    limit = Limit.model_validate({"effects": 2, "per": "1h", "of": "namespace"})
    stuck = await approved(database, "db", changes=2)
    for index in (0, 1):
        await outcome(database, stuck, await made(database, stuck, limit, index=index))
    await move(database, stuck, "RESOLVED")
    await made(database, await approved(database, "b"), limit)
    assert "2 effects per 1h" in (await refused(database, await approved(database, "c"), limit)).why


async def test_of_runs_that_wait_for_a_limit_the_oldest_goes_on(
    database: Database, clock: DrivenClock
) -> None:
    limit = Limit.model_validate({"runs": 1, "per": "1h", "of": "namespace"})
    first, second = await approved(database, "a"), await approved(database, "b")
    assert (await refused(database, second, limit)).passing
    await made(database, first, limit)
    await clock.advance(3600)
    await made(database, second, limit)


async def test_a_cooldown_counts_what_other_runs_did_to_this_target(
    database: Database, clock: DrivenClock
) -> None:
    cooldown = Cooldown()
    await a_settled_effect(database, "a")
    again, other = await approved(database, "a"), await approved(database, "b")
    await made(database, other, cooldown)
    assert (await refused(database, again, cooldown)).passing
    await clock.advance(1800)
    await made(database, again, cooldown)
