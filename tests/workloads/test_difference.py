"""What differs between two templates, as people read it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediator.domain.change import revision_hash
from remediator.domain.value import JsonObject
from remediator.workloads.difference import difference
from tests.workloads.life import template
from tests.workloads.recorded import body


def with_container(**fields: Any) -> JsonObject:
    """A template whose container app has these fields."""
    return {"spec": {"containers": [{"name": "app", "image": "app:v1", **fields}]}}


def change_of(field: str, before: object, after: object) -> list[str]:
    return difference(with_container(**{field: before}), with_container(**{field: after}))


def env(name: str, value: str) -> list[JsonObject]:
    return [{"name": name, "value": value}]


def test_a_recorded_change_of_image_is_one_sentence() -> None:
    before = body("deployment-rollout", "v2 available: deployment")["spec"]["template"]
    after = body("deployment-rollout", "bad image, before the deadline: deployment")["spec"]["template"]
    assert difference(before, after) == [
        "container web: image registry.example.com/shop/web:v2 -> registry.example.com/shop/web:bad."
    ]


def test_a_restart_is_no_difference() -> None:
    assert difference(template("v1"), template("v1", "10:00")) == []


def test_plain_environment_variables_are_shown_with_their_values() -> None:
    before, after = env("LOG_LEVEL", "info"), env("LOG_LEVEL", "debug")
    assert change_of("env", before, after) == [
        "container app: environment variable LOG_LEVEL 'info' -> 'debug'."
    ]
    assert change_of("env", [], after) == ["container app: environment variable LOG_LEVEL added ('debug')."]
    assert change_of("env", before, []) == [
        "container app: environment variable LOG_LEVEL removed (was 'info')."
    ]


SECRETS = [
    ("DB_PASSWORD", "hunter2"),
    ("STRIPE_API_KEY", "hunter2"),
    ("GITHUB_TOKEN", "hunter2"),
    ("DATABASE_URL", "postgres://app:hunter2@db/app"),
    ("UPSTREAM", "https://upstream/?token=hunter2"),
    ("OPTIONS", "host=db password=hunter2"),
    ("HEADER", "Bearer hunter2"),
    ("BLOB", "hunter2hunter2hunter2hunter2hunter2"),
]


@pytest.mark.parametrize(("name", "value"), SECRETS)
def test_what_looks_secret_is_never_shown(name: str, value: str) -> None:
    told = [
        *change_of("env", env(name, value), env(name, value + "3")),
        *change_of("env", [], env(name, value)),
        *change_of("args", [f"--{name}={value}"], []),
        *change_of("args", ["--flag", value], []),
        *change_of("command", ["sh", "-c", f"export {name}='{value}'"], ["app", f"-p{value}"]),
    ]
    assert len(told) == 5
    assert "hunter2" not in " ".join(told)


def test_a_reference_is_shown_by_name() -> None:
    secret = [{"name": "SEARCH", "valueFrom": {"secretKeyRef": {"name": "db", "key": "s"}}}]
    config = [{"name": "SEARCH", "valueFrom": {"configMapKeyRef": {"name": "app", "key": "c"}}}]
    assert change_of("env", secret, config) == [
        "container app: environment variable SEARCH from secret db key s -> from config map app key c."
    ]
    assert change_of(
        "envFrom", [{"configMapRef": {"name": "app-1"}}], [{"configMapRef": {"name": "app-2"}}]
    ) == ["container app: environment from config map app-1 -> config map app-2."]


def test_resources_probes_and_flags_are_shown_in_one_line_each() -> None:
    assert change_of("resources", {"limits": {"memory": "1Gi", "cpu": 1}}, {"limits": {"memory": "1Mi"}}) == [
        "container app: resources limits.cpu=1 limits.memory=1Gi -> limits.memory=1Mi."
    ]
    probe = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 5}
    assert change_of("readinessProbe", probe, None) == [
        "container app: readiness probe path='/healthz' periodSeconds=5 port=8080 -> none."
    ]
    assert change_of("args", ["serve", "--workers=4"], ["serve", "--workers=1"]) == [
        "container app: args ... --workers='4' -> ... --workers='1'."
    ]


def test_a_container_that_came_or_went_is_named() -> None:
    proxied = with_container()
    proxied["spec"]["containers"].append({"name": "proxy", "image": "proxy:v1"})
    assert difference(with_container(), proxied) == ["container proxy: added (image proxy:v1)."]
    assert difference(proxied, with_container()) == ["container proxy: removed (image proxy:v1)."]


def test_any_other_field_is_named_without_its_value() -> None:
    assert change_of("securityContext", {"runAsUser": 1}, {"runAsUser": 2}) == [
        "container app: securityContext changed."
    ]
    before, after = with_container(), with_container()
    before["metadata"] = {"annotations": {"checksum/config": "1"}}
    after["metadata"] = {"annotations": {"checksum/config": "2"}, "labels": {"tier": "back"}}
    after["spec"]["serviceAccountName"] = "app"
    assert difference(before, after) == [
        "pod: serviceAccountName added.",
        "pod labels: tier added.",
        "pod annotations: checksum/config changed.",
    ]


scalars = st.sampled_from([None, False, True, 0, 1, "", "a", "--flag=b"])
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["name", "value", "valueFrom", "x"]), inner, max_size=3),
    ),
    max_leaves=6,
)
containers = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["app", "proxy"]), "image": st.sampled_from(["app:v1", "app:v2"])},
        optional=dict.fromkeys(("env", "envFrom", "args", "resources", "livenessProbe", "ports"), documents),
    ),
    max_size=2,
    unique_by=lambda each: each["name"],
)
templates = st.fixed_dictionaries(
    {"spec": st.fixed_dictionaries({"containers": containers}, optional={"initContainers": containers})},
    optional={
        "metadata": st.fixed_dictionaries(
            {}, optional={"labels": st.dictionaries(st.just("app"), st.sampled_from("ab"))}
        )
    },
)


@given(templates, templates)
def test_there_is_a_sentence_exactly_when_the_version_differs(before: JsonObject, after: JsonObject) -> None:
    assert bool(difference(before, after)) == (revision_hash(before) != revision_hash(after))
    assert all(sentence.endswith(".") for sentence in difference(before, after))
