"""Variables of rules: what is filled in, and what is never asked."""

from datetime import UTC, datetime

import pytest

from remediator.domain.run_view import RunView, TriggerAlert
from remediator.domain.substitution import NothingToSubstitute, misplaced, substitute
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


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        ("a|.+", r"a\\|\\.\\+"),
        ("api.v2", r"api\\.v2"),
        ("a-b", "a-b"),
        ("x)(y", r"x\\)\\(y"),
        ('a"b', r"a\x22b"),
        ("a\\b", r"a\\\\b"),
    ],
)
@pytest.mark.parametrize("matcher", ["=~", "!~ ", "=~ # why\n "])
def test_a_value_in_a_pattern_means_itself(value: str, filled: str, matcher: str) -> None:
    query = 'up{a="${labels.job}", job' + matcher + '"x-${labels.job}-.*"}'
    assert substitute(query, run(job=value)).endswith(f'"x-{filled}-.*"}}')


def test_what_is_no_pattern_is_filled_in_as_it_is_beside_one() -> None:
    query = 'up{a=~"${labels.job}", b="${labels.job}"} # =~ ${labels.job}'
    assert substitute(query, run(job="a.b")) == r'up{a=~"a\\.b", b="a.b"} # =~ a.b'


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("up{job=`${labels.job}`}", ["${labels.job} in backquotes, which know no escapes"]),
        ("up > ${labels.limit}", ["${labels.limit} outside of quotes would be read as PromQL"]),
        ("up{a=`b`, job=\"${labels.job}\", c='${labels.job}'} # ${labels.job}", []),
    ],
)
def test_where_no_escape_helps_nothing_may_be_filled_in(query: str, why: list[str]) -> None:
    assert [sentence for sentence, _ in misplaced(query)] == why
    assert [query[at : at + 2] for _, at in misplaced(query)] == ["${"] * len(why)
