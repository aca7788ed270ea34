"""Which earlier version a rollback goes to: stories of what happened before, each by example."""

from datetime import timedelta

import pytest

from remediator.domain.history import AlertSpan
from remediator.workloads.last_known_good import Choice, Facts, choose, not_seen_for_long
from remediator.workloads.revisions import revisions_of
from tests.workloads.life import SOAK, Life, chosen, template, version
from tests.workloads.recorded import body, items


def story(*releases: tuple[str, float]) -> Life:
    """A life of these versions, each available for so many minutes."""
    life = Life()
    for name, minutes in releases:
        life.release(name)
        life.runs(minutes)
    return life


def reasons(choice: Choice, name: str) -> tuple[str, ...]:
    return next(each.reasons for each in choice.table if each.hash == version(name))


def test_the_previous_version_is_chosen_when_it_is_good() -> None:
    choice = story(("v1", 600), ("v2", 600), ("v3", 5)).choose()
    assert (chosen(choice), choice.source) == ("v2", "memory")
    assert choice.why == (
        "Of the good earlier versions revision 2 (app:v2) is the newest. It was seen fully available for 10h."
    )


def test_a_previous_version_that_was_bad_too_is_skipped() -> None:
    choice = story(("v1", 600), ("v2", 4), ("v3", 5)).choose()
    assert chosen(choice) == "v1"
    assert reasons(choice, "v2")[0].startswith(
        "It was seen fully available for 4m, less than the soak time of 30m"
    )


def test_without_an_earlier_version_none_is_chosen() -> None:
    choice = story(("v1", 600)).choose()
    assert (choice.chosen, choice.source, choice.table) == (None, None, ())
    assert choice.why == "There is no earlier version to go back to."


def test_restarts_between_two_releases_are_not_releases() -> None:
    life = story(("v1", 600), ("v2", 5))
    life.release("v2", "10:00")
    life.runs(5)
    life.release("v2", "11:00")
    life.runs(5)
    choice = life.choose()
    assert chosen(choice) == "v1"
    assert len(choice.table) == 1


def test_a_version_that_was_restarted_counts_once_and_its_newest_template_is_used() -> None:
    life = story(("v1", 600))
    life.release("v1", "10:00")
    life.runs(600)
    life.release("v2")
    choice = life.choose()
    assert [each.number for each in choice.table] == [2]
    assert choice.chosen is not None
    assert choice.chosen.template == template("v1", "10:00")


def test_a_version_people_went_back_from_is_not_chosen() -> None:
    life = story(("v1", 600), ("v2", 60), ("v1", 60), ("v3", 5))
    choice = life.choose()
    assert chosen(choice) == "v1"
    assert reasons(choice, "v2") == (
        "It was rolled back from: Kubernetes' revision numbers show an older version after it.",
    )


def test_our_memory_knows_of_a_rollback_whose_replica_sets_are_gone() -> None:
    life = story(("v1", 600), ("v2", 60), ("v1", 60), ("v3", 5))
    kept = [each for each in life.revisions() if each.hash != version("v1")]
    forgetful = [each.model_copy(update={"rolled_away": False}) for each in kept]
    choice = life.choose(revisions=forgetful)
    assert choice.chosen is None
    assert reasons(choice, "v2")[0].startswith("It was rolled back from at 2026-03-01T19:")
    assert reasons(choice, "v1") == ("Kubernetes has deleted its ReplicaSet (revisionHistoryLimit).",)


def test_undoing_twice_does_not_return_to_the_bad_release() -> None:
    life = story(("v1", 600), ("v2", 60))
    life.alert(minutes_ago=30)
    life.release("v1")
    life.runs(60)
    choice = life.choose()
    assert choice.chosen is None
    assert "It was rolled back from" in choice.why


def test_after_a_second_try_of_a_bad_release_the_version_before_it_is_chosen_again() -> None:
    life = story(("v1", 600), ("v2", 60), ("v1", 60), ("v2", 5))
    assert chosen(life.choose()) == "v1"


def test_a_release_that_was_tried_again_and_ran_well_is_good() -> None:
    life = story(("v1", 600), ("v2", 5), ("v1", 60), ("v2", 600), ("v3", 5))
    assert chosen(life.choose()) == "v2"
    assert chosen(life.choose(rolled_back_from=version("v2"))) == "v2"


def test_only_the_time_since_people_came_back_to_it_speaks_for_a_version() -> None:
    life = story(("v1", 600), ("v2", 600), ("v1", 60), ("v2", 5), ("v3", 5))
    assert chosen(life.choose()) == "v1"


def test_a_version_taken_up_again_before_our_memory_began_is_not_trusted() -> None:
    life = Life(remembering=False)
    for name in ("v1", "v2", "v1", "v2"):
        life.release(name)
    life.remember_from_now_on()
    life.runs(600)
    life.release("v3")
    choice = life.choose()
    assert choice.chosen is None
    assert "our memory did not see either" in reasons(choice, "v2")[0]


def test_a_version_this_daemon_rolled_back_from_is_not_chosen() -> None:
    life = story(("v1", 600), ("v2", 600), ("v3", 5))
    choice = life.choose(rolled_back_from=version("v2"))
    assert chosen(choice) == "v1"
    assert reasons(choice, "v2") == ("This daemon rolled back from it.",)


def test_a_version_in_whose_time_the_alert_began_is_not_chosen() -> None:
    life = story(("v1", 600), ("v2", 600))
    life.alert(minutes_ago=60, closed_at=life.now)
    life.release("v3")
    choice = life.choose()
    assert chosen(choice) == "v1"
    assert reasons(choice, "v2") == ("HighErrorRate began in its time, last at 2026-03-02T03:00:02+00:00.",)


def test_an_alert_left_by_a_bad_version_does_not_count_against_the_one_after_the_rollback() -> None:
    life = story(("v1", 600), ("v2", 20))
    life.alert(minutes_ago=5, closed_at=life.now + timedelta(minutes=15))
    for name, minutes in (("v1", 600), ("v3", 5)):
        life.release(name)
        life.runs(minutes)
    life.alert()
    assert chosen(life.choose()) == "v1"


def test_an_alert_that_was_open_at_our_first_look_counts_against_the_version_we_found() -> None:
    life = Life(remembering=False)
    life.release("v1")
    life.runs(5)
    life.alerts.append(AlertSpan(alertname="HighErrorRate", starts_at=life.now - timedelta(days=1)))
    life.remember_from_now_on()
    life.runs(600)
    life.release("v2")
    choice = life.choose()
    assert choice.chosen is None
    assert reasons(choice, "v1")[0].startswith("HighErrorRate began in its time")


def test_an_alert_that_began_under_the_current_version_counts_against_no_other() -> None:
    life = story(("v1", 600), ("v2", 600), ("v3", 5))
    life.alert(minutes_ago=4)
    assert chosen(life.choose()) == "v2"


def test_a_version_whose_config_map_is_gone_is_not_chosen() -> None:
    life = story(("v1", 600), ("v2", 600), ("v3", 5))
    choice = life.choose(missing_config={version("v2"): ["app-config-7f2"]})
    assert chosen(choice) == "v1"
    assert reasons(choice, "v2") == ("It needs ConfigMaps that no longer exist: app-config-7f2.",)


def test_a_version_that_was_last_current_too_long_ago_is_not_chosen() -> None:
    life = story(("v1", 600), ("v2", 15 * 24 * 60))
    choice = life.choose()
    assert choice.chosen is None
    assert reasons(choice, "v1") == ("It was last the current one 15d ago, more than 14d.",)
    assert chosen(choose(life.facts(), SOAK, timedelta(days=30))) == "v1"


def test_without_memory_the_age_of_the_replica_set_is_good_enough_to_ask_a_person() -> None:
    life = Life(remembering=False)
    for name, minutes in (("v1", 600), ("v2", 5), ("v3", 5)):
        life.release(name)
        life.runs(minutes)
    choice = life.choose()
    assert (chosen(choice), choice.source) == ("v1", "replica_set")
    assert reasons(choice, "v1") == (
        "It was never seen by our memory; by the age of ReplicaSets it was the current one for 10h1s.",
    )


def test_what_our_memory_saw_goes_before_the_age_of_a_newer_replica_set() -> None:
    life = story(("v1", 600))
    life.remembering = False
    life.release("v2")
    life.runs(600)
    life.release("v3")
    choice = life.choose()
    assert (chosen(choice), choice.source) == ("v1", "memory")


def test_a_version_our_memory_watched_for_long_and_never_saw_available_is_not_good_by_age() -> None:
    life = Life()
    life.release("v1")
    life.runs(600, available=False)
    life.release("v2")
    choice = life.choose()
    assert choice.chosen is None
    assert reasons(choice, "v1") == ("It was remembered for 10h and never seen fully available.",)


def test_the_age_of_a_replica_set_that_was_rolled_back_from_makes_nothing_good() -> None:
    life = Life(remembering=False)
    for name in ("v1", "v2", "v1"):
        life.release(name)
        life.runs(600)
    assert life.choose().chosen is None


def test_a_revision_newer_than_the_current_one_is_not_chosen() -> None:
    """The template was just put back by somebody; the controller has not renumbered its ReplicaSet yet."""
    life = story(("v1", 600), ("v2", 600))
    choice = life.choose(current_revision=version("v1"))
    assert choice.chosen is None
    assert reasons(choice, "v2") == ("It is not older than the current revision.",)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1.0])
def test_a_senseless_availability_is_none_at_all(seconds: float) -> None:
    life = story(("v1", 20), ("v2", 5))
    life.tenures[0] = life.tenures[0].model_copy(update={"longest_available_seconds": seconds})
    assert life.choose().chosen is None


def test_a_soak_time_of_zero_still_asks_for_having_been_seen_available() -> None:
    life = Life()
    life.release("v1")
    life.runs(600, available=False)
    life.release("v2")
    assert choose(life.facts(), timedelta(0)).chosen is None


def test_in_the_recorded_rollback_the_bad_image_is_not_good_and_the_first_version_is() -> None:
    deployment = body("deployment-rollout", "rolled back: deployment")
    revisions = revisions_of(deployment, items("deployment-rollout", "rolled back: replicasets"))
    facts = Facts(current_revision=revisions[0].hash, revisions=revisions, now=revisions[0].created_at)
    choice = choose(facts, timedelta(seconds=1))
    assert chosen(choice) == "v1"
    assert [(each.title, each.good) for each in choice.table] == [
        ("revision 3 (web:bad)", False),
        ("revision 1 (web:v1)", True),
    ]


def before_our_memory() -> Life:
    """v1 ran for ten hours before anybody looked; v2 has been out for five minutes."""
    life = Life(remembering=False)
    life.release("v1")
    life.runs(600)
    life.release("v2")
    life.remember_from_now_on()
    life.runs(5)
    return life


SHOWN = "kube-state-metrics shows it fully available for 30m."


def test_what_another_witness_saw_is_as_good_as_what_our_memory_saw() -> None:
    life = before_our_memory()
    assert life.choose().source == "replica_set"
    choice = life.choose(measured={version("v1"): SHOWN})
    assert (chosen(choice), choice.source) == ("v1", "kube_state_metrics")
    assert reasons(choice, "v1") == (f"It was never seen by our memory; {SHOWN}",)


def test_a_newer_version_seen_by_another_witness_comes_before_an_older_one_of_our_memory() -> None:
    life = story(("v1", 600), ("v2", 10), ("v3", 5))
    choice = life.choose(measured={version("v2"): SHOWN})
    assert (chosen(choice), choice.source) == ("v2", "kube_state_metrics")


@pytest.mark.parametrize("available", [True, False])
def test_what_our_memory_watched_for_long_enough_no_other_witness_knows_better(available: bool) -> None:
    life = Life()
    life.release("v1")
    for _ in range(3):
        life.runs(20, available=available)
    life.release("v2")
    life.runs(5)
    choice = life.choose(measured={version("v1"): SHOWN})
    assert choice.source != "kube_state_metrics"
    assert version("v1") not in {each.hash for each in not_seen_for_long(life.facts(), SOAK)}


def test_another_witness_does_not_outweigh_what_speaks_against_a_version() -> None:
    life = before_our_memory()
    against = {"measured": {version("v1"): SHOWN}, "missing_config": {version("v1"): ["gone"]}}
    assert life.choose(**against).chosen is None


DOUBT = "what Secret db held and will hold: Secrets are never read"


def test_a_doubt_about_configuration_is_told_and_decides_only_if_that_is_wanted() -> None:
    facts = story(("v1", 600), ("v2", 5)).facts(config_doubts={version("v1"): [DOUBT]})
    choice = choose(facts, SOAK)
    assert chosen(choice) == "v1"
    assert choice.table[0].caveats == (DOUBT,)
    strict = choose(facts, SOAK, strict_config=True)
    assert strict.chosen is None
    assert strict.table[0].reasons == (f"Not observed, which strict_config does not allow: {DOUBT}.",)
