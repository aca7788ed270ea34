"""When acting is right, it acts: every story told in useful.py has to end with its cure."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from remediator.store.database import open_database
from tests.stories.test_rungs import LADDER
from tests.stories.useful import (
    NO_SURGE,
    RECREATE,
    Useful,
    a_pod_is_replaced_meanwhile,
    a_second_alert_joins,
    a_set_after_a_release_of,
    after_a_release_of,
    annotated_by_a_person,
    another_bad_release_an_hour_later,
    argocd_owns_it_and_it_hangs,
    asked_too_often,
    autoscaled_meanwhile,
    failing_for_a_moment,
    hangs_with_a_budget_and_an_autoscaler,
    helm_owns_it,
    hung_long_after_its_release,
    metric_of_v2_is_bad,
    named_by_a_pod_that_is_gone,
    named_by_its_service,
    no_disruption_left,
    no_quota_for_a_surge,
    paused_for_a_while,
    quicker_than_the_memory,
    restart_does_not_help,
    restarted_between,
    scaled_by_its_autoscaler_while_held,
    silenced_and_unsilenced,
    the_one_before_is_bad_as_well,
)
from tests.support.clock import DrivenClock
from tests.support.databases import Databases
from tests.support.proof_lines import Prove
from tests.support.story import RESTART, told

METRIC = """
rules:
  - rule: bad-release
    mode: act
    match: ['{alertname="HighErrorRate"}']
    actions: [rollback]
    verifications:
      - promql: {query: error_ratio, below: 0.05, for: 1m, within: 10m}
"""
DEAD_PEER = "http://127.0.0.1:1"


USEFUL: Mapping[str, Useful] = {
    "its pods never become ready": Useful(after_a_release_of("app:never-ready-v2")),
    "its pods crash": Useful(after_a_release_of("app:crash-v2")),
    "its image cannot be pulled": Useful(after_a_release_of("app:missing-v2")),
    "it runs and fails its users": Useful(after_a_release_of("app:v2")),
    "it is ready and its metric is bad": Useful(metric_of_v2_is_bad, rules=METRIC),
    "Recreate with nothing ready": Useful(after_a_release_of("app:crash-v2", **RECREATE)),
    "one replica that is ready and fails": Useful(after_a_release_of("app:v2", replicas=1)),
    "one replica that crashes": Useful(after_a_release_of("app:crash-v2", replicas=1)),
    "no surge allowed": Useful(after_a_release_of("app:v2", replicas=3, **NO_SURGE)),
    "a budget with no disruption left": Useful(no_disruption_left),
    "a pod is replaced meanwhile": Useful(a_pod_is_replaced_meanwhile),
    "the autoscaler works meanwhile": Useful(autoscaled_meanwhile),
    "Helm owns it": Useful(helm_owns_it),
    "of two Alertmanager peers one is down": Useful(after_a_release_of("app:v2"), other_peers=(DEAD_PEER,)),
    "the one before is bad as well": Useful(the_one_before_is_bad_as_well),
    "restarted between release and alert": Useful(restarted_between),
    "the alert is quicker than our memory": Useful(quicker_than_the_memory),
    "a person annotated it": Useful(annotated_by_a_person),
    "the API server fails for a moment": Useful(failing_for_a_moment),
    "the API server asks for patience": Useful(asked_too_often),
    "hung long after its release": Useful(hung_long_after_its_release, ("app:v1",), RESTART),
    "a restart does not help": Useful(restart_does_not_help, ("app:v2", "app:v1"), LADDER),
    "two alerts about one thing": Useful(a_second_alert_joins),
    "the alert names a pod that is gone": Useful(named_by_a_pod_that_is_gone),
    "the alert names its Service": Useful(named_by_its_service),
    "a StatefulSet is stuck": Useful(a_set_after_a_release_of("StatefulSet", "app:missing-v2")),
    "a StatefulSet fails its users": Useful(a_set_after_a_release_of("StatefulSet", "app:v2")),
    "a DaemonSet crashes": Useful(a_set_after_a_release_of("DaemonSet", "app:crash-v2")),
    "Argo CD owns it and it hangs": Useful(argocd_owns_it_and_it_hangs, ("app:v1",), RESTART),
    "no quota for a surge": Useful(no_quota_for_a_surge),
    "its team allows an interruption": Useful(
        after_a_release_of("app:v2", annotations={"remediator.io/interruptible": "true"}, **RECREATE)
    ),
    "it hangs, with a budget and an autoscaler": Useful(
        hangs_with_a_budget_and_an_autoscaler, ("app:v1",), RESTART
    ),
    "its autoscaler works while the run is held": Useful(scaled_by_its_autoscaler_while_held),
    "silenced for a minute": Useful(silenced_and_unsilenced),
    "paused for a minute": Useful(paused_for_a_while),
    "another bad release an hour later": Useful(another_bad_release_an_hour_later, ("app:v1", "app:v1")),
}


async def why_not(useful: Useful, tmp_path: Path, database_url: str) -> str | None:
    """What was done instead and what the daemon said about it; None when it acted as it should."""
    database = await open_database(database_url)
    try:
        clock = DrivenClock(database)
        async with told(
            tmp_path, database_url, clock, useful.rules, useful.settings, useful.other_peers
        ) as story:
            await useful.tell(story)
            if story.effects() == list(useful.effects):
                return None
            runs = [f"{each.state}: {each.why}" for each in await story.runs()]
            return f"it did {story.effects()}, not {list(useful.effects)}; {runs}"
    finally:
        await database.close()


@pytest.mark.proof
def test_proof_useful(tmp_path: Path, databases: Databases, proof: Prove) -> None:
    wrong: dict[str, str] = {}
    for number, (name, useful) in enumerate(USEFUL.items()):
        (tmp_path / str(number)).mkdir()
        with databases.clone("driven") as dsn:
            refused = asyncio.run(why_not(useful, tmp_path / str(number), dsn))
        if refused is not None:
            wrong[name] = refused
    proof("useful", stories=len(USEFUL), acted=len(USEFUL) - len(wrong))
    assert len(USEFUL) >= 20
    assert wrong == {}
