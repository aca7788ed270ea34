"""Empty never means everything: blanks and wildcards in labels reach no request."""

import re
from itertools import chain, combinations, cycle

from remediator.domain.answers import Refusal
from remediator.planning.targets.subject import Subject, subject_of
from tests.support.world import World

VALID = {
    "namespace": "shop",
    "deployment": "api",
    "pod": "{api}",
    "service": "api",
    "ingress": "api",
    "hpa": "api",
    "container": "app",
}
BAD = ("", " ", "\t", "*", ".", "..", "-A", "--all", "%2e", "api/../web", "api\n", "?limit=1")
NAMED_OBJECT = re.compile(
    r"/(api/v1|apis/(apps|autoscaling|networking\.k8s\.io)/v\d)/namespaces/shop/"
    r"(deployments|replicasets|pods|services|ingresses|horizontalpodautoscalers)/[a-z0-9][a-z0-9.-]*[a-z0-9]"
)


async def test_no_blank_or_wildcard_in_any_set_of_labels_reaches_a_request(world: World) -> None:
    valid, bad = world.labels(VALID), cycle(BAD)
    subsets = chain.from_iterable(combinations(VALID, size) for size in range(1, len(VALID) + 1))
    wrong = []
    for chosen in subsets:
        for _ in range(2):
            labels = {**valid, **{name: next(bad) for name in chosen}}
            found = await world.resolver.resolve(labels, ())
            beside = "service" in chosen and set(chosen) <= {"service"}
            if not isinstance(found, Refusal) and not (
                beside and labels["service"] in ("api/../web", "api\n")
            ):
                wrong.append((labels, found))
    assert wrong == []
    for asked in world.emulator.requests:
        listed = (
            asked.path == "/api/v1/namespaces/shop/pods" and asked.query.get("labelSelector") == "app=api"
        )
        assert asked.method == "GET"
        assert listed or NAMED_OBJECT.fullmatch(asked.path), asked.path


def test_a_label_of_any_length_is_read_at_once() -> None:
    assert isinstance(subject_of({"job": "a-exporter-" * 100_000 + "!"}), Subject)


async def test_the_valid_labels_alone_lead_to_the_target(world: World) -> None:
    assert not isinstance(await world.resolve(VALID), Refusal)
