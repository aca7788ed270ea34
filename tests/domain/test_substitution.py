"""Variables of rules: what is filled in, and what is never asked."""

from datetime import UTC, datetime

import pytest

from remediator.domain.run_view import RunView, TriggerAlert
from remediator.domain.substitution import NothingToSubstitute, substitute
from tests.guards.changes import API

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def run(**labels: str) -> RunView:
    alert = TriggerAlert(
        source="alertmanager", fingerprint="f", labels=labels, annotations={}, starts_at=NOW, received_at=NOW
    )
    return RunView(run_id=1, rule="r", mode="act", target=API, alert=alert, created_at=NOW)


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        ("checkout", "checkout"),
        ("/", "/"),
        ("a-b", "a-b"),
        ("1.5", "1.5"),
        ('a"b', r"a\x22b"),
        ("a.*", "a.*"),
        ("+Inf", "+Inf"),
    ],
)
def test_a_value_is_filled_in_as_it_is_but_for_quotes(value: str, filled: str) -> None:
    assert substitute('up{job="${labels.job}"}', run(job=value)) == f'up{{job="{filled}"}}'


@pytest.mark.parametrize(
    "value", ["", " ", "\t", "*", ".", "..", ".*", ".+", "^.*$", "-A", "--all", " -n=shop"]
)
def test_a_value_that_names_nothing_is_not_asked_with(value: str) -> None:
    with pytest.raises(NothingToSubstitute, match=r"labels\.job"):
        substitute('up{job=~"${labels.job}"}', run(job=value))


def test_the_target_fills_in_its_own_names() -> None:
    query = 'up{namespace="${target.namespace}", pod=~"${target.name}-.*"}'
    assert substitute(query, run()) == 'up{namespace="shop", pod=~"api-.*"}'
