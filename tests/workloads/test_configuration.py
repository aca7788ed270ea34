"""What is doubted of the configuration an earlier version would run with, by example."""

from datetime import timedelta
from typing import Any

import pytest

from remediator.domain.history import ConfigStretch, Tenure
from remediator.domain.value import JsonObject
from remediator.workloads.configuration import Configuration
from tests.support.clock import START

SOAK = timedelta(minutes=30)


def at(minutes: float) -> Any:
    return START + timedelta(minutes=minutes)


def template(
    *config_maps: str, secrets: tuple[str, ...] = (), annotations: dict[str, str] | None = None
) -> JsonObject:
    sources: list[JsonObject] = [{"configMapRef": {"name": each}} for each in config_maps]
    sources += [{"secretRef": {"name": each}} for each in secrets]
    return {
        "metadata": {"annotations": annotations or {}},
        "spec": {"containers": [{"name": "app", "image": "app:v1", "envFrom": sources}]},
    }


def ran(began: float, ended: float | None, last_seen: float = 0) -> Tenure:
    return Tenure(
        uid="1",
        revision="v1",
        template={},
        began_at=at(began),
        began_seen=True,
        ended_at=at(ended) if ended is not None else None,
        last_seen_at=at(ended if ended is not None else last_seen),
    )


def held(content: str, began: float, ended: float | None = None) -> ConfigStretch:
    until = at(ended) if ended is not None else None
    return ConfigStretch(name="web", hash=content, began_at=at(began), ended_at=until)


def doubts(
    *stretches: ConfigStretch,
    now: str | None = "a",
    tenures: tuple[Tenure, ...] = (ran(0, 120),),
    of: JsonObject | None = None,
    current: JsonObject | None = None,
) -> tuple[str, ...]:
    known = Configuration(present={"web": now}, stretches=stretches)
    return known.doubts(of or template("web"), current or template("web"), tenures, SOAK)


CHANGED = "whether it works with what ConfigMap web holds now, which has changed since this version ran"
NOT_KNOWN = "what ConfigMap web held when this version ran"


def test_nothing_is_doubted_of_a_config_map_that_is_as_it_was() -> None:
    assert doubts(held("a", -600)) == ()


def test_a_config_map_that_changed_with_the_release_is_doubted() -> None:
    assert doubts(held("z", -600, 120), held("a", 120)) == (CHANGED,)


def test_a_change_just_before_the_release_does_not_count_as_what_the_version_ran_with() -> None:
    assert doubts(held("z", -600, 118), held("a", 118)) == (CHANGED,)


def test_a_change_after_which_the_version_soaked_is_no_doubt() -> None:
    assert doubts(held("z", -600, 60), held("a", 60)) == ()


def test_a_config_map_that_was_changed_and_changed_back_is_as_it_was() -> None:
    assert doubts(held("a", -600, 120), held("z", 120, 130), held("a", 130)) == ()


def test_what_was_not_seen_in_the_versions_time_is_not_known() -> None:
    assert doubts() == (NOT_KNOWN,)
    assert doubts(held("a", 121)) == (NOT_KNOWN,)
    assert doubts(held("a", -600), tenures=()) == (NOT_KNOWN,)


def test_the_time_of_a_version_without_an_end_is_until_it_was_last_seen() -> None:
    assert doubts(held("a", 0), tenures=(ran(0, None, last_seen=31),)) == ()
    assert doubts(held("a", 0), tenures=(ran(0, None, last_seen=29),)) == (CHANGED,)


def test_a_config_map_that_is_gone_is_missing_and_not_doubted_as_well() -> None:
    known = Configuration(present={"web": None}, stretches=[held("a", 0)])
    assert known.missing(template("web")) == ["web"]
    assert known.doubts(template("web"), template("web"), [ran(0, 120)], SOAK) == ()


def test_a_name_that_is_made_of_the_content_needs_no_memory() -> None:
    name = "web-5b8kd2fg7c"
    known = Configuration(present={name: "a"})
    assert known.doubts(template(name), template(name), [], SOAK) == ()


def test_secrets_are_named_since_they_are_never_read() -> None:
    of = template(secrets=("db", "web-5b8kd2fg7c", "api"))
    assert doubts(of=of) == ("what Secrets api, db held and will hold: Secrets are never read",)


@pytest.mark.parametrize(("before", "after"), [("1", "2"), ("1", None), (None, "2")])
def test_a_checksum_that_came_with_the_release_is_configuration_that_stays(
    before: str | None, after: str | None
) -> None:
    old, new = ({"checksum/config": each} if each else {} for each in (before, after))
    (doubt,) = doubts(of=template(annotations=old), current=template(annotations=new))
    assert doubt.startswith("the configuration behind checksum/config: it changed with the release")


def test_a_checksum_that_is_the_same_says_nothing() -> None:
    same = {"checksum/config": "1", "prometheus.io/scrape": "true"}
    assert doubts(of=template(annotations=same), current=template(annotations=same)) == ()
