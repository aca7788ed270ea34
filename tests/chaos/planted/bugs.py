"""One-line mistakes, each of the kind that costs an alert, an effect or a night; and what has to find it.

A bug is data: the file, what stands there exactly once, what stands there instead. `found_by` is a story with its
faults for the fork server (then `says` is in one of its violations), or a test that has to fail.
"""

from dataclasses import dataclass

from tests.chaos.fork_server import Task


@dataclass(frozen=True)
class Bug:
    """A mistake, and the smallest thing that must find it."""

    name: str
    file: str
    """Below remediator/."""
    old: str
    new: str
    found_by: Task | str
    says: str = ""


def killed(story: str, *points: str, seed: int = 1) -> Task:
    """A story whose daemons are killed at these points."""
    return Task(story, tuple(f"{point}:kill" for point in points), seed)


LATE = 2
"""A seed by which the API server takes a change that a daemon died over 20 seconds later."""

BUGS = (
    Bug(
        "acknowledged before it is committed",
        "web/inbox.py",
        "                await waiting.committed\n",
        "                pass\n",
        killed("restart", "J03"),
        "C7: acknowledged and not stored",
    ),
    Bug(
        "an epoch is not a new one",
        "store/runs.py",
        "epoch = nextval('epochs'),",
        "epoch = greatest(epoch, 1),",
        killed("restart", "J22"),
        "the run ended BLOCKED with 0 effects",
    ),
    Bug(
        "it is sent again without a look at the object",
        "runbook/apply_actions.py",
        "    return conclude(attempt.marker, attempt.change, seen, attempt.sends) is Conclusion.NOT_YET\n",
        "    return True\n",
        killed("restart", "J28"),
        "C9: 1/0/0 had an effect and is recorded as not_applied",
    ),
    Bug(
        "the change does not test the epoch",
        "effects/apply.py",
        '        {"op": "test", "path": EPOCH_PATH, "value": str(epoch)},\n',
        "",
        killed("restart", "J27", "J22", seed=LATE),
        "C2: the effect 1/0/0 carries epoch",
    ),
    Bug(
        "the restart is stamped when it is sent",
        "effects/apply.py",
        "change.from_template, change.to_template)",
        'change.from_template, {**change.to_template, "metadata": {**change.to_template["metadata"],'
        ' "annotations": {"kubectl.kubernetes.io/restartedAt": str(id(marker))}}})',
        killed("restart"),
        "the run ended BLOCKED with 0 effects",
    ),
    Bug(
        "a dead daemon's lease never ends",
        "store/runs.py",
        "(lease_until is null or lease_until < remediator_now())",
        "lease_until is null",
        killed("restart", "J12"),
        "C12: run 1 is PLANNED",
    ),
    Bug(
        "notices are taken for read when they are taken",
        "store/notices.py",
        "               update notices set claimed_until =",
        "               update notices set read_at = remediator_now(), claimed_until =",
        killed("restart", "J07"),
        "C7: stored and never read",
    ),
    Bug(
        "the attempts of before are forgotten",
        "runbook/apply_actions.py",
        "            attempt = made.get(index)\n",
        "            attempt = None\n",
        killed("restart", "J25"),
        "a unit of work failed with UniqueViolationError",
    ),
    Bug(
        "a second send goes under the first epoch",
        "runbook/apply_actions.py",
        "attempt.change, attempt.marker, run.epoch, deadline, window)",
        "attempt.change, attempt.marker, attempt.epoch, deadline, window)",
        killed("restart", "J25"),
        "the run ended ESCALATED with 0 effects",
    ),
    Bug(
        "an outcome is told twice",
        "store/attempts.py",
        "    if not await _still_ours(connection, run, owner):\n        return False\n",
        "    await journal.append(connection, 'outcome', '', {'outcome': outcome, 'attempt': attempt.marker},"
        " run_id=run.id)\n",
        killed("restart"),
        "C9: the journal tells 2 times",
    ),
    Bug(
        "verdicts are not written with the intent",
        "runbook/apply_actions.py",
        "                await journal.append_entries(connection, run, entries(verdicts))\n",
        "",
        killed("restart"),
        "C6: the intent 1/0/0 carries no answer of",
    ),
    Bug(
        "what holds is asked for and not heeded",
        "store/pauses.py",
        "answer=GuardAnswer.REFUSE if found else GuardAnswer.ALLOW,",
        "answer=GuardAnswer.ALLOW,",
        killed("paused", "J19"),
        "C5: the intent 1/0/0 was made in",
    ),
    Bug(
        "what an intent counts is not counted in its transaction",
        "store/attempts.py",
        "    verdicts = [await counts.count(connection, limit, run, change) for limit in limits]\n",
        "    verdicts: list[GuardVerdict] = []\n",
        "tests/store/test_budgets.py::"
        "test_the_third_effect_in_a_namespace_waits_until_the_first_is_a_window_old",
    ),
    Bug(
        "a guard that does not answer allows",
        "runbook/ask_guards.py",
        "    return guard.unknown(answer.why) if isinstance(answer, Unanswered) else answer\n",
        "    return None if isinstance(answer, Unanswered) else answer\n",
        "tests/stories/test_guard_that_fails.py::"
        "test_a_guard_that_cannot_read_its_facts_holds_the_run_and_lets_it_go_on_when_it_can",
    ),
    Bug(
        "what was applied and then changed is sent again",
        "effects/recovery.py",
        "else Conclusion.APPLIED_THEN_CHANGED\n",
        "else Conclusion.NOT_YET\n",
        "tests/effects/test_recovery.py::test_marker_and_state_together_decide",
    ),
    Bug(
        "another object under the same name is the same",
        "effects/recovery.py",
        "    if seen.uid != change.uid:\n",
        "    if not seen.uid:\n",
        "tests/effects/test_recovery.py::test_an_object_with_another_uid_was_replaced_whatever_it_shows",
    ),
    Bug(
        "a notice is marked as delivered before it is sent",
        "runbook/courier.py",
        "            parcel = await outbox.take_due(connection, _LEASE_SECONDS)\n",
        "            parcel = await outbox.take_due(connection, _LEASE_SECONDS)\n"
        "            await outbox.delivered(connection, parcel) if parcel else None\n",
        "tests/stories/test_telling_people.py::test_a_dead_receiver_changes_nothing_and_is_told_when_it_lives_again",
    ),
    Bug(
        "an unclear answer is taken for a refusal",
        "clients/kube_write.py",
        '    return Unclear(f"Kubernetes answered',
        '    return Refused(answer.status, "", message, None) if message else Unclear(f"Kubernetes answered',
        "tests/clients/test_kube_writer_unclear.py::test_a_5xx_is_unclear",
    ),
)

IN_CI = BUGS[:3]
