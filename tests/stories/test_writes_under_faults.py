"""The write under every fault the API server or the network can make: the right conclusion, never two effects."""

import pytest

from remediator.run import State
from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import (
    Action,
    AnswerStatus,
    ApplyLate,
    ApplyThenDrop,
    ApplyThenFail,
    DropBeforeApplying,
    HalfBody,
    PretendSuccess,
)
from remediator.sandbox.kubernetes.request import Call
from remediator.store import attempts
from tests.support.story import Story, deployment


def is_the_effect(call: Call, user: str) -> bool:
    return b"remediator.io~1attempt" in call.body and not is_a_rehearsal(call, user)


def is_a_rehearsal(call: Call, user: str) -> bool:
    return "dryRun" in call.query


def is_a_claim(call: Call, user: str) -> bool:
    return call.method == "PATCH" and b"remediator.io~1attempt" not in call.body


async def outcomes(story: Story) -> list[str | None]:
    async with story.daemon.database.connection() as connection:
        return [each.outcome for each in await attempts.of_run(connection, (await story.run()).id)]


ONCE: dict[str, Action] = {
    "401": AnswerStatus(401, "Unauthorized"),
    "409": AnswerStatus(409, "Conflict"),
    "422": AnswerStatus(422, "Invalid"),
    "429": AnswerStatus(429, "TooManyRequests", headers={"Retry-After": "1"}),
    "500 before applying": AnswerStatus(500, "InternalError"),
    "503": AnswerStatus(503, "ServiceUnavailable"),
    "504": AnswerStatus(504, "Timeout"),
    "dropped before applying": DropBeforeApplying(),
    "applied, then dropped": ApplyThenDrop(),
    "applied, then 500": ApplyThenFail(),
    "half an answer": HalfBody(),
    "success answered for nothing": PretendSuccess(),
    "applied late": ApplyLate(1.0),
}


@pytest.mark.parametrize("fault", ONCE)
async def test_one_fault_of_the_effect_still_leads_to_exactly_one_effect(story: Story, fault: str) -> None:
    await story.bad_release()
    laid = story.emulator.faults.add(Fault("PATCH", "/deployments/api$", ONCE[fault], when=is_the_effect))
    await story.fire()
    await story.let(60)
    assert laid.hits == 1, "the fault did not fire: the test proves nothing"
    assert story.effects() == ["app:v1"]
    assert (await story.run()).state == "ACTED"
    assert await outcomes(story) == ["applied"]


@pytest.mark.parametrize("fault", ["401", "409", "422", "500 before applying", "applied, then dropped"])
async def test_one_fault_of_the_claim_only_delays(story: Story, fault: str) -> None:
    await story.bad_release()
    laid = story.emulator.faults.add(Fault("PATCH", "/deployments/api$", ONCE[fault], when=is_a_claim))
    await story.fire()
    await story.let(60)
    assert laid.hits == 1
    assert story.effects() == ["app:v1"]


ADMISSION: dict[str, tuple[Action, str]] = {
    "a policy's no": (
        AnswerStatus(422, "Invalid", "ValidatingAdmissionPolicy 'images' denied request: unsigned image"),
        "unsigned image",
    ),
    "a webhook's no": (AnswerStatus(403, "Forbidden", 'admission webhook "x" denied the request'), "denied"),
}


@pytest.mark.parametrize("fault", ADMISSION)
async def test_what_admission_would_refuse_is_never_intended(story: Story, fault: str) -> None:
    answer, sentence = ADMISSION[fault]
    await story.bad_release()
    laid = story.emulator.faults.add(Fault("PATCH", "/deployments/api$", answer, when=is_a_rehearsal))
    await story.fire()
    run = await story.run()
    assert laid.hits == 1
    assert run.state == "BLOCKED"
    assert "rehearsal: the API server would refuse it" in (run.why or "")
    assert sentence in (run.why or "")
    assert await outcomes(story) == []
    assert story.effects() == []


@pytest.mark.parametrize("fault", ["401", "409", "429", "503", "half an answer"])
async def test_a_rehearsal_without_a_clear_answer_only_delays(story: Story, fault: str) -> None:
    await story.bad_release()
    laid = story.emulator.faults.add(Fault("PATCH", "/deployments/api$", ONCE[fault], when=is_a_rehearsal))
    await story.fire()
    await story.let(30)
    assert laid.hits == 1
    assert story.effects() == ["app:v1"]


async def test_a_webhook_that_cannot_be_rehearsed_does_not_forbid_the_cure(story: Story) -> None:
    await story.bad_release()
    said = AnswerStatus(400, "BadRequest", 'admission webhook "x" does not support dry run')
    laid = story.emulator.faults.add(Fault("PATCH", "/deployments/api$", said, when=is_a_rehearsal))
    await story.fire()
    assert laid.hits == 1
    assert story.effects() == ["app:v1"]


async def test_a_write_that_lands_after_a_newer_claim_has_no_effect(story: Story) -> None:
    """The first copy is given up, the second is made under a higher epoch; then the first one arrives."""
    await story.bad_release()
    late = Fault("PATCH", "/deployments/api$", ApplyLate(20), when=is_the_effect)
    story.emulator.faults.add(late)
    await story.fire()
    await story.let(60, step=2)
    assert late.hits == 1
    assert story.effects() == ["app:v1"]


async def test_a_server_that_never_applies_is_asked_twice_and_then_people_are(story: Story) -> None:
    await story.bad_release()
    story.emulator.faults.add(
        Fault("PATCH", "/deployments/api$", AnswerStatus(500), when=is_the_effect, times=None)
    )
    await story.fire()
    await story.let(120, step=2)
    assert story.effects() == []
    assert (await story.run()).state == State.ESCALATED
    assert await outcomes(story) == ["not_applied"]


async def test_when_the_object_cannot_be_read_for_long_the_run_is_unknown_and_keeps_its_target(
    story: Story,
) -> None:
    await story.bad_release()
    story.emulator.faults.add(Fault("PATCH", "/deployments/api$", ApplyThenDrop(), when=is_the_effect))

    def after_the_effect(call: Call, user: str) -> bool:
        return user == "remediator" and bool(story.effects())

    unreadable = Fault("GET", "/deployments/api$", AnswerStatus(500), when=after_the_effect, times=None)
    story.emulator.faults.add(unreadable)
    await story.fire()
    await story.let(12 * 60, step=30)
    assert (await story.run()).state == State.UNKNOWN
    story.emulator.faults.clear()
    await story.resolve()
    await story.let(60 * 60, step=60)
    await story.fire()
    assert [each.state for each in await story.runs()] == [State.UNKNOWN]
    assert story.effects() == ["app:v1"]


async def test_after_a_long_absence_one_failed_look_is_not_yet_unknown(story: Story) -> None:
    await story.bad_release()
    story.emulator.faults.add(Fault("PATCH", "/deployments/api$", DropBeforeApplying(), when=is_the_effect))
    await story.fire()
    await story.clock.advance(11 * 60)
    await story.emulator.catch_up()
    busy = AnswerStatus(503, "ServiceUnavailable")
    laid = story.emulator.faults.add(Fault("GET", "/deployments/api$", busy, times=3))
    await story.settle()
    assert laid.hits == 3, "the fault did not fire: the test proves nothing"
    assert (await story.run()).state == "APPROVED"
    await story.let(60)
    assert story.effects() == ["app:v1"]


async def test_a_workload_changed_between_plan_and_write_is_left_alone(story: Story) -> None:
    """Somebody is quicker: the template is no longer the one the plan was made for."""
    await story.bad_release()

    def somebody_is_quicker(call: Call, user: str) -> bool:
        if is_a_claim(call, user):
            story.release("app:v3")
        return False

    story.emulator.faults.add(Fault("PATCH", "/deployments/api$", PretendSuccess(), when=somebody_is_quicker))
    await story.fire()
    assert story.effects() == []
    run = await story.run()
    assert run.state == State.BLOCKED
    assert "kubectl" in (run.why or "")


async def test_an_object_made_anew_under_the_same_name_is_not_changed(story: Story) -> None:
    await story.bad_release()

    def made_anew(call: Call, user: str) -> bool:
        if is_the_effect(call, user):
            # As a restore from a backup does it: the same template, and even our own annotations.
            there = story.emulator.get("deployments", "shop", "api")
            assert there is not None
            annotations = there["metadata"]["annotations"]
            story.emulator.delete("deployments", "shop", "api")
            story.emulator.create(deployment("app:v2", **annotations))
        return False

    story.emulator.faults.add(Fault("PATCH", "/deployments/api$", PretendSuccess(), when=made_anew))
    await story.fire()
    await story.let(30)
    assert story.effects() == []
    assert (await story.run()).state == State.ESCALATED
    assert await outcomes(story) == ["target_replaced"]


async def test_a_write_given_up_for_good_cannot_land_later(story: Story) -> None:
    """The claim made before giving up is what the late copy runs into."""
    await story.bad_release()
    late = Fault("PATCH", "/deployments/api$", ApplyLate(20), when=is_the_effect)
    story.emulator.faults.add(late)
    await story.fire()
    assert late.hits == 1
    story.emulator.patch("namespaces", "", "shop", {"metadata": {"labels": {"remediator.io/enabled": "no"}}})
    await story.let(10, step=5)
    assert await outcomes(story) == ["not_applied"]
    await story.let(60, step=5)
    assert story.effects() == []
    assert story.image() == "app:v2"


async def test_somebody_who_is_quicker_than_the_effect_itself_wins(story: Story) -> None:
    """The template changes between our last look and the arrival of the write."""
    await story.bad_release()

    def quicker(call: Call, user: str) -> bool:
        if is_the_effect(call, user):
            story.release("app:v3")
        return False

    story.emulator.faults.add(Fault("PATCH", "/deployments/api$", PretendSuccess(), when=quicker))
    await story.fire()
    await story.let(30)
    assert story.effects() == []
    assert story.image() == "app:v3"
    assert (await story.run()).state == State.ESCALATED
    assert await outcomes(story) == ["superseded"]


async def test_an_effect_in_doubt_that_cannot_be_fenced_is_kept_in_doubt(story: Story) -> None:
    """The first copy may still be under way, and no claim can be written any more: nobody may call it over."""
    await story.bad_release()
    story.emulator.faults.add(Fault("PATCH", "/deployments/api$", DropBeforeApplying(), when=is_the_effect))

    def after_the_first(call: Call, user: str) -> bool:
        return is_a_claim(call, user) and any(each.claim for each in story.emulator.effects)

    story.emulator.faults.add(
        Fault("PATCH", "/deployments/api$", AnswerStatus(403), when=after_the_first, times=None)
    )
    await story.fire()
    await story.let(5 * 60)
    assert (await story.run()).state == State.APPROVED
    assert await outcomes(story) == [None]
    await story.let(8 * 60)
    assert (await story.run()).state == State.UNKNOWN
    assert await outcomes(story) == ["unknown"]
    assert story.effects() == []
