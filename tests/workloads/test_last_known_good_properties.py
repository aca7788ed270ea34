"""What holds for every life a workload may have had."""

import random
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from remediator.domain.change import revision_hash
from remediator.workloads.last_known_good import SEEN, choose, not_seen_for_long
from tests.workloads.life import SOAK, Life, chosen, version


@dataclass(frozen=True)
class Event:
    """One thing that happens: a template becomes the current one and runs for a while."""

    name: str
    stamp: str | None
    minutes: int
    available: bool
    alert: bool
    remembered: bool
    """Our memory runs from the first event on for which this is true."""


events = st.builds(
    Event,
    name=st.sampled_from(["v1", "v2", "v3", "v4"]),
    stamp=st.sampled_from([None, None, None, "10:00", "11:00"]),
    minutes=st.sampled_from([0, 5, 29, 31, 60, 600, 5 * 24 * 60]),
    available=st.sampled_from([True, True, True, False]),
    alert=st.sampled_from([False, False, False, True]),
    remembered=st.sampled_from([False, True, True]),
)
lives = st.lists(events, min_size=1, max_size=10)


def lived(happened: list[Event]) -> Life:
    life = Life(remembering=False)
    for event in happened:
        life.release(event.name, event.stamp)
        if event.remembered:
            life.remember_from_now_on()
        life.runs(event.minutes / 2, available=event.available)
        if event.alert:
            life.alert()
        life.runs(event.minutes / 2, available=event.available)
    return life


@given(lives)
@settings(max_examples=300, deadline=None)
def test_the_current_version_is_never_chosen_nor_even_a_candidate(happened: list[Event]) -> None:
    life = lived(happened)
    choice = life.choose()
    assert revision_hash(life.current) not in {each.hash for each in choice.table}
    assert choice.chosen is None or choice.chosen.hash != revision_hash(life.current)


@given(lives)
@settings(max_examples=300, deadline=None)
def test_the_chosen_version_was_first_released_before_the_current_one(happened: list[Event]) -> None:
    life = lived(happened)
    choice = life.choose()
    if choice.chosen is not None:
        order = life.first_released
        assert order.index(choice.chosen.hash) < order.index(revision_hash(life.current))


@given(lives)
@settings(max_examples=300, deadline=None)
def test_what_is_good_by_memory_was_seen_available_for_the_soak_time_without_an_alert(
    happened: list[Event],
) -> None:
    life = lived(happened)
    choice = life.choose()
    if choice.source == "memory" and choice.chosen is not None:
        tenures = [each for each in life.tenures if each.revision == choice.chosen.hash]
        assert max(each.longest_available_seconds for each in tenures) >= SOAK.total_seconds()
        for tenure in tenures:
            assert tenure.ended_at is not None
            assert not [each for each in life.alerts if tenure.began_at <= each.starts_at < tenure.ended_at]


@given(lives)
@settings(max_examples=300, deadline=None)
def test_the_newest_good_row_of_the_best_source_is_the_one_chosen(happened: list[Event]) -> None:
    choice = lived(happened).choose()
    good = [each for each in choice.table if each.good]
    best = [each for each in good if each.source == "memory"] or good
    assert (choice.chosen is None) == (not best)
    if choice.chosen is not None:
        assert choice.chosen.number == max(each.number or 0 for each in best)
        assert choice.source == best[0].source
    assert all(each.reasons for each in choice.table)


@given(lives)
@settings(max_examples=300, deadline=None)
def test_every_other_version_is_one_row_of_the_table_however_often_it_was_restarted(
    happened: list[Event],
) -> None:
    life = lived(happened)
    table = life.choose().table
    assert sorted(each.hash for each in table) == sorted(
        set(life.first_released) - {revision_hash(life.current)}
    )


@given(lives, st.lists(st.sampled_from([0, 5, 31, 600]), min_size=1, max_size=5))
@settings(max_examples=300, deadline=None)
def test_rolling_back_again_and_again_never_returns_to_a_version_it_left(
    happened: list[Event], minutes: list[int]
) -> None:
    life = lived(happened)
    left = set()
    for each in minutes:
        choice = life.choose()
        if choice.chosen is None:
            return
        assert choice.chosen.hash not in left
        left.add(revision_hash(life.current))
        metadata = choice.chosen.template["metadata"]
        life.release(
            choice.chosen.images[0].rpartition(":")[2],
            next(iter(metadata.get("annotations", {}).values()), None),
        )
        assert revision_hash(life.current) == choice.chosen.hash
        life.runs(each)


@given(lives)
@settings(max_examples=300, deadline=None)
def test_without_memory_nothing_is_good_enough_to_act_without_a_person(happened: list[Event]) -> None:
    choice = lived([replace(each, remembered=False) for each in happened]).choose()
    assert choice.source in (None, "replica_set")


@given(lives)
@settings(max_examples=200, deadline=None)
def test_a_restart_changes_nothing_about_the_choice(happened: list[Event]) -> None:
    life = lived(happened)
    before = life.choose()
    last = happened[-1]
    life.release(last.name, "12:00")
    after = life.choose(now=life.now)
    assert (after.source, [each.hash for each in after.table if each.good]) == (
        before.source,
        [each.hash for each in before.table if each.good],
    )


@given(lives, st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_the_order_in_which_things_are_told_does_not_matter(
    happened: list[Event], chance: random.Random
) -> None:
    life = lived(happened)
    facts = life.facts()
    shuffled = replace(
        facts,
        revisions=chance.sample(facts.revisions, len(facts.revisions)),
        tenures=chance.sample(facts.tenures, len(facts.tenures)),
        alert_spans=chance.sample(facts.alert_spans, len(facts.alert_spans)),
    )
    assert choose(shuffled, SOAK) == choose(facts, SOAK)
    kept = list(life.replica_sets.items())
    life.replica_sets = dict(chance.sample(kept, len(kept)))
    assert life.revisions() == tuple(facts.revisions)


@given(st.lists(st.sampled_from([5, 29, 31, 600]), min_size=1, max_size=5))
@settings(deadline=None)
def test_when_every_release_was_new_the_newest_that_ran_for_the_soak_time_is_always_chosen(
    minutes: list[int],
) -> None:
    life = Life()
    for number, each in enumerate(minutes):
        life.release(f"v{number}")
        life.runs(each)
    life.release("bad")
    life.runs(5, available=False)
    life.alert()
    expected = [f"v{number}" for number, each in enumerate(minutes) if each >= 30]
    assert chosen(life.choose()) == (expected[-1] if expected else None)


names = st.sets(st.sampled_from(["v1", "v2", "v3", "v4"]))


@given(lives, names)
@settings(max_examples=300, deadline=None)
def test_another_witness_turns_no_judgement_of_our_memory_and_no_reason_against_a_version(
    happened: list[Event], measured: set[str]
) -> None:
    life = lived(happened)
    before = {each.hash: each for each in life.choose().table}
    choice = life.choose(measured={version(name): "It was well." for name in measured})
    for row in choice.table:
        without = before[row.hash]
        if row != without:
            assert row.hash in {version(name) for name in measured}
            assert without.source != "memory"
        if row.source == "kube_state_metrics":
            assert row.hash in {each.hash for each in not_seen_for_long(life.facts(), SOAK)}
            assert all("kube" not in each for each in without.reasons)
            assert without.good or len(without.reasons) == 1
    assert choice.source != "replica_set" or not [each for each in choice.table if each.source in SEEN]


@given(lives, names)
@settings(max_examples=300, deadline=None)
def test_a_doubt_changes_nothing_but_the_caveats_unless_it_is_strict(
    happened: list[Event], doubted: set[str]
) -> None:
    life = lived(happened)
    plain, hashes = life.choose(), {version(name) for name in doubted}
    facts = life.facts(config_doubts={each: ["the weather"] for each in hashes})
    told = choose(facts, SOAK)
    assert [each.model_copy(update={"caveats": ()}) for each in told.table] == list(plain.table)
    assert told.chosen == plain.chosen
    strict = choose(facts, SOAK, strict_config=True)
    assert strict.chosen is None or strict.chosen.hash not in hashes
    certain = [each for each in plain.table if each.good and each.hash not in hashes]
    assert (strict.chosen is None) == (not certain)
