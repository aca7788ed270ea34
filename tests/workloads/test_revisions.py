"""Revisions, from recorded ReplicaSets and from made ones."""

from datetime import UTC, datetime, timedelta

import pytest

from remediator.domain.change import exact_hash, revision_hash
from remediator.workloads.revision import Revision, image_names, title
from remediator.workloads.revisions import current_revision, revisions_of, rollout_began, stretches
from tests.workloads.life import BEGAN, Life, deployment, replica_set, template, version
from tests.workloads.recorded import body, exchanges, items


def recorded_rollout() -> tuple[Revision, ...]:
    return revisions_of(
        body("deployment-rollout", "rolled back: deployment"),
        items("deployment-rollout", "rolled back: replicasets"),
    )


def after_two_undos_and_two_restarts() -> tuple[Revision, ...]:
    """What kubectl read just before it undid the second restart."""
    sent = [each["response"]["body"] for each in exchanges("kubectl-deployment")[52:55]]
    return revisions_of(sent[1], sent[2]["items"])


def tags(revisions: tuple[Revision, ...]) -> list[tuple[int, str]]:
    return [(each.number, each.images[0].rpartition(":")[2]) for each in revisions]


def test_recorded_revisions_come_newest_first_and_a_reused_one_has_its_new_number() -> None:
    assert tags(recorded_rollout()) == [(4, "v2"), (3, "bad"), (1, "v1")]
    assert recorded_rollout()[0].numbers == (2, 4)


def test_a_recorded_revision_has_the_template_and_counts_of_its_replica_set() -> None:
    newest = recorded_rollout()[0]
    template_now = body("deployment-rollout", "rolled back: deployment")["spec"]["template"]
    assert newest.template == template_now
    assert (newest.hash, newest.exact) == (revision_hash(template_now), exact_hash(template_now))
    assert (newest.desired, newest.ready, newest.available) == (3, 3, 3)
    assert newest.created_at == datetime(2026, 11, 23, 7, 32, 11, tzinfo=UTC)
    assert title(newest) == "revision 4 (web:v2)"


def test_reading_revisions_leaves_the_replica_sets_as_they_were() -> None:
    life = Life()
    life.release("v1")
    (kept,) = life.replica_sets.values()
    life.revisions()[0].template["metadata"]["labels"]["app"] = "changed"
    assert kept["spec"]["template"]["metadata"]["labels"].keys() == {"app", "pod-template-hash"}
    assert kept["spec"]["template"]["metadata"]["labels"]["app"] == "api"


def test_the_current_revision_is_the_one_with_exactly_the_deployments_template() -> None:
    just_after = body("deployment-rollout", "roll back to revision 2")
    replica_sets = items("deployment-rollout", "bad image, deadline exceeded: replicasets")
    current = current_revision(just_after, revisions_of(just_after, replica_sets))
    assert current is not None
    assert (current.number, title(current)) == (2, "revision 2 (web:v2)")


def test_there_is_no_current_revision_until_the_controller_has_made_it() -> None:
    just_after = body("deployment-rollout", "change image to one that cannot be pulled")
    before = items("deployment-rollout", "v2 available: replicasets")
    assert current_revision(just_after, revisions_of(just_after, before)) is None


def test_a_restarted_template_is_not_the_current_one_although_it_is_the_same_version() -> None:
    life = Life()
    life.release("v1")
    before = life.revisions()
    assert current_revision(deployment(template("v1", "10:00")), before) is None
    assert before[0].hash == revision_hash(template("v1", "10:00"))


@pytest.mark.parametrize("owner", [[], [{"uid": "another", "controller": True}], [{"uid": "uid-of-api"}]])
def test_a_replica_set_the_deployment_does_not_control_is_not_its_revision(
    owner: list[dict[str, object]],
) -> None:
    foreign = replica_set(1, template("v1"), BEGAN)
    foreign["metadata"]["ownerReferences"] = owner
    assert revisions_of(deployment(template("v1")), [foreign]) == ()


@pytest.mark.parametrize("number", ["", "0", "-1", "1.5", "two", "²", "9" * 30])
def test_a_replica_set_without_a_readable_number_is_left_out(number: str) -> None:
    odd = replica_set(1, template("v1"), BEGAN)
    odd["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = number
    assert revisions_of(deployment(template("v1")), [odd]) == ()


def test_going_back_proves_that_the_version_left_was_rolled_away_from() -> None:
    evidence = {each.images[0].rpartition(":")[2]: each.rolled_away for each in recorded_rollout()}
    assert evidence == {"v2": False, "bad": True, "v1": False}


def test_going_back_past_a_version_rolls_away_from_it_as_well() -> None:
    life = Life()
    for name in ("v1", "v2", "v3", "v1"):
        life.release(name)
    assert {each.number: each.rolled_away for each in life.revisions()} == {4: False, 3: True, 2: True}


def test_trying_a_release_once_more_does_not_roll_away_from_the_older_version() -> None:
    life = Life()
    for name in ("v1", "v2", "v1", "v2"):
        life.release(name)
    newest, older = life.revisions()
    assert (newest.number, newest.rolled_away, newest.taken_up_again) == (4, False, True)
    assert (older.number, older.rolled_away, older.taken_up_again) == (3, False, False)


def test_undoing_a_restart_rolls_away_from_no_version() -> None:
    life = Life()
    life.release("v1")
    life.release("v1", "10:00")
    life.release("v1", "11:00")
    life.release("v1", "10:00")
    assert not any(each.rolled_away or each.taken_up_again for each in life.revisions())


def test_a_rollback_under_a_restart_stamp_is_a_rollback_although_no_replica_set_was_reused() -> None:
    life = Life()
    life.release("v1")
    life.release("v2", "10:00")
    life.release("v1", "10:00")
    assert {each.number: each.rolled_away for each in life.revisions()} == {3: False, 2: True, 1: False}


def test_kubectls_two_undos_and_its_restarts_are_read_as_what_they_were() -> None:
    revisions = after_two_undos_and_two_restarts()
    assert tags(revisions) == [(8, "v1"), (7, "v1"), (6, "v1"), (5, "v3"), (4, "v2")]
    assert {each.number for each in revisions if each.rolled_away} == {5, 4}


def test_a_restart_is_not_a_rollout() -> None:
    life = Life()
    life.release("v1")
    life.runs(60)
    life.release("v2")
    released = life.now
    life.runs(60)
    life.release("v2", "10:00")
    life.runs(60)
    life.release("v2", "11:00")
    revisions = life.revisions()
    assert rollout_began(revisions[0], revisions) == released


def test_a_rollout_before_another_version_is_another_rollout() -> None:
    life = Life()
    life.release("v1")
    life.release("v2")
    life.release("v1", "10:00")
    revisions = life.revisions()
    assert rollout_began(revisions[0], revisions) == life.now
    assert rollout_began(revisions[1], revisions) == life.now - timedelta(seconds=1)


def test_a_stretch_is_known_only_between_the_creation_of_two_replica_sets() -> None:
    life = Life()
    life.release("v1")
    began = life.now
    life.runs(10)
    life.release("v1", "10:00")
    life.runs(10)
    life.release("v2")
    ended = life.now
    life.runs(10)
    life.release("v1")
    life.runs(10)
    life.release("v3")
    (known,) = stretches(life.revisions())
    assert (known.hash, known.began_at, known.ended_at) == (version("v1"), began, ended)


def test_a_gap_in_the_numbers_proves_nothing_about_the_time_beside_it() -> None:
    made = [
        replica_set(number, template(name), BEGAN + timedelta(hours=number))
        for number, name in ((1, "v1"), (3, "v3"), (4, "v4"))
    ]
    known = stretches(revisions_of(deployment(template("v4")), made))
    assert [each.hash for each in known] == [version("v3")]


def test_a_gap_between_two_restarts_may_hide_another_version() -> None:
    made = [
        replica_set(1, template("v1"), BEGAN),
        replica_set(3, template("v1", "10:00"), BEGAN + timedelta(hours=3)),
        replica_set(4, template("v2"), BEGAN + timedelta(hours=4)),
    ]
    (known,) = stretches(revisions_of(deployment(template("v2")), made))
    assert known.began_at == BEGAN + timedelta(hours=3)


@pytest.mark.parametrize(
    ("image", "short"),
    [
        ("app", "app"),
        ("registry:5000/shop/app:v41", "app:v41"),
        ("registry:5000/shop/app:v41@sha256:0123456789abcdef", "app:v41"),
        ("shop/app@sha256:0123456789abcdef", "app@0123456789ab"),
    ],
)
def test_a_title_shows_the_image_without_its_registry(image: str, short: str) -> None:
    assert image_names({"spec": {"containers": [{"name": "app", "image": image}]}}) == short
