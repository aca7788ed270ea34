"""Which of the operator's queries belong to the digest."""

from typing import Any

import pytest

from remediator.settings.load import Settings

QUERY: dict[str, Any] = {"name": "failed_logins", "sql": "select 1"}


def of(**more: Any) -> Settings:
    orders = {"name": "orders", "dsn_file": "dsn", "queries": [{**QUERY, **more}]}
    return Settings.model_validate({"databases": [orders]})


def test_a_query_belongs_to_the_digest_only_if_somebody_says_so() -> None:
    assert [each.databases[0].queries[0].digest for each in (of(), of(digest="access"))] == [None, "access"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"digest": "security", "parameters": [{"value": "${labels.tenant}"}]}, "no alert is there to fill"),
        ({"digest": "performance"}, "Input should be 'security' or 'access'"),
    ],
)
def test_what_no_digest_could_show_is_a_mistake_in_the_settings(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        of(**wrong)
