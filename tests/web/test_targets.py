"""Whether an image was rolled back from: over HTTP, and the judgement itself for what a story does not reach."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from remediator.domain.change import TemplatePatch, revision_hash
from remediator.domain.history import AlertSpan, Tenure
from remediator.domain.run_view import TriggerAlert
from remediator.domain.target import Target
from remediator.rulebook.rule import LoadedRule
from remediator.store.attempts import Outcome
from remediator.store.rollbacks import RolledBack
from remediator.web.rolled_back_from import judged
from tests.support.web import Web, running_web, token_file

API = "/api/v1/targets/deployment/shop/api"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
TARGET = Target(cluster="default", kind="deployment", namespace="shop", name="api")


@pytest.fixture
async def web(database_url: str, tmp_path: Path) -> AsyncIterator[Web]:
    """Knows one person who may look, and one who may do nothing."""
    settings = {
        "intake": {"token_file": token_file(tmp_path, "alertmanager", "alertmanagers-token")},
        "people": [
            {"name": "pipeline", "token_file": token_file(tmp_path, "pipeline", "view-token")},
            {"name": "nobody", "token_file": token_file(tmp_path, "nobody", "no-role"), "roles": []},
        ],
    }
    async with running_web(database_url, settings) as running:
        yield running


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        (f"{API}?image=app:v2", "view-token", 200),
        (f"{API}?image=app:v2", None, 401),
        (f"{API}?image=app:v2", "another", 401),
        (f"{API}?image=app:v2", "no-role", 403),
        (API, "view-token", 400),
        (f"{API}?image=", "view-token", 400),
        (f"{API}?image=a%20b", "view-token", 400),
        (f"{API}?image=a%00b", "view-token", 400),
        (f"{API}?image={'a' * 1025}", "view-token", 400),
        ("/api/v1/targets/pod/shop/api?image=app:v2", "view-token", 400),
        ("/api/v1/targets/deployment/SHOP/api?image=app:v2", "view-token", 400),
        ("/api/v1/targets/deployment/shop/%2A?image=app:v2", "view-token", 400),
        ("/api/v1/targets/deployment/shop?image=app:v2", "view-token", 404),
        ("/api/v1/targets/daemonset/shop/api?image=app:v2", "view-token", 200),
    ],
)
async def test_who_may_ask_what(web: Web, path: str, token: str | None, status: int) -> None:
    answer = await web.get(path, token)
    assert answer.status == status, answer.json
    assert ("rolled_back" in answer.json) == (status == 200)


async def test_another_method_is_refused(web: Web) -> None:
    answer = await web.send("POST", f"{API}?image={quote('app:v2')}", b"{}", {})
    assert answer.status == 405


def template(*images: str) -> dict[str, Any]:
    return {"metadata": {}, "spec": {"containers": [{"name": "c", "image": each} for each in images]}}


RULE = LoadedRule.model_validate(
    {
        "rule": "r",
        "match": ['{a="b"}'],
        "actions": [{"rollback": {"soak": "10m"}}],
        "verifications": ["alert_cleared"],
    }
)


def rollback(
    to: dict[str, Any],
    *,
    left: dict[str, Any] | None = None,
    at: datetime = NOON,
    outcome: Outcome | None = "applied",
    run_id: int = 1,
) -> RolledBack:
    left = left or template("app:v2")
    change = TemplatePatch(
        action="rollback",
        target=TARGET,
        uid="1",
        from_template=left,
        to_template=to,
        from_title="new",
        to_title="old",
        summary="back",
    )
    return RolledBack(
        run_id=run_id,
        run_state="RESOLVED",
        rule=RULE,
        trigger=TriggerAlert(
            source="alertmanager",
            fingerprint="0123456789abcdef",
            labels={"alertname": "HighErrorRate"},
            annotations={},
            starts_at=at,
            received_at=at,
        ),
        rung=0,
        intended_at=at,
        outcome_at=at + timedelta(seconds=1),
        outcome=outcome,
        change=change,
    )


def tenure(image: str, began_at: datetime, minutes: float, *, over: bool = False) -> Tenure:
    """Fully available all the time."""
    found = template(image)
    return Tenure(
        uid="1",
        revision=revision_hash(found),
        template=found,
        began_at=began_at,
        began_seen=True,
        ended_at=began_at + timedelta(minutes=minutes) if over else None,
        longest_available_seconds=60 * minutes,
        last_seen_at=began_at + timedelta(minutes=minutes),
    )


def test_an_image_that_both_versions_have_is_not_to_blame() -> None:
    made = [rollback(template("app:v1", "proxy:v9"), left=template("app:v2", "proxy:v9"))]
    assert judged("app:v2", made, [], []).rolled_back
    assert not judged("proxy:v9", made, [], []).rolled_back


def test_a_rollback_in_doubt_or_under_way_counts_and_says_may() -> None:
    for outcome in ("unknown", None):
        verdict = judged("app:v2", [rollback(template("app:v1"), outcome=outcome)], [], [])
        assert verdict.rolled_back
        assert "may have gone" in verdict.why


def test_availability_before_the_rollback_is_no_acceptance() -> None:
    before = tenure("app:v2", NOON - timedelta(hours=2), 60)
    assert judged("app:v2", [rollback(template("app:v1"))], [before], []).rolled_back


def test_only_what_came_after_the_newest_rollback_accepts() -> None:
    first = rollback(template("app:v1"), at=NOON - timedelta(hours=3), run_id=1)
    second = rollback(template("app:v1"), run_id=2)
    between = tenure("app:v2", NOON - timedelta(hours=2), 60)
    verdict = judged("app:v2", [second, first], [between], [])
    assert verdict.rolled_back
    assert [each.run_id for each, _ in verdict.rollbacks] == [2, 1]
    after = tenure("app:v2", NOON + timedelta(hours=1), 10)
    assert not judged("app:v2", [second, first], [between, after], []).rolled_back
    assert judged(
        "app:v2",
        [second, first],
        [between, after.model_copy(update={"longest_available_seconds": 599.0})],
        [],
    ).rolled_back


AGAIN = tenure("app:v2", NOON + timedelta(minutes=5), 35)


def alert(begins: float, ends: float | None, name: str = "HighErrorRate") -> AlertSpan:
    """Open between these minutes after noon."""
    closed_at = None if ends is None else NOON + timedelta(minutes=ends)
    return AlertSpan(alertname=name, starts_at=NOON + timedelta(minutes=begins), closed_at=closed_at)


@pytest.mark.parametrize("span", [alert(-10, None), alert(-10, 6), alert(6, 7), alert(20, None)])
def test_pods_that_are_available_while_the_alert_is_open_accept_nothing(span: AlertSpan) -> None:
    verdict = judged("app:v2", [rollback(template("app:v1"))], [AGAIN], [span])
    assert verdict.rolled_back
    assert (
        "it was deployed again at 2026-01-05 12:05 UTC, but HighErrorRate was open in its time" in verdict.why
    )


@pytest.mark.parametrize("span", [alert(-10, 5), alert(-10, None, "Another")])
def test_an_alert_that_was_over_before_or_is_another_speaks_against_nothing(span: AlertSpan) -> None:
    assert not judged("app:v2", [rollback(template("app:v1"))], [AGAIN], [span]).rolled_back


def test_an_alert_that_began_after_it_had_ended_speaks_against_nothing() -> None:
    over = tenure("app:v2", NOON + timedelta(minutes=5), 35, over=True)
    newer = tenure("app:v3", NOON + timedelta(minutes=40), 5)
    made = [rollback(template("app:v1"))]
    assert not judged("app:v2", made, [over, newer], [alert(41, None)]).rolled_back


def test_what_people_undid_again_is_not_accepted() -> None:
    v1 = tenure("app:v1", NOON - timedelta(hours=3), 60, over=True)
    v2 = tenure("app:v2", NOON - timedelta(hours=2), 120, over=True)
    back = tenure("app:v1", NOON, 5, over=True)
    again = tenure("app:v2", NOON + timedelta(minutes=5), 35, over=True)
    undone = tenure("app:v1", NOON + timedelta(minutes=40), 10)
    made = [rollback(template("app:v1"))]
    verdict = judged("app:v2", made, [v1, v2, back, again, undone], [])
    assert verdict.rolled_back
    assert "but an older version was taken up after it, at 2026-01-05 12:40 UTC" in verdict.why
    newer = tenure("app:v3", NOON + timedelta(minutes=40), 10)
    assert not judged("app:v2", made, [v1, v2, back, again, newer], []).rolled_back


def test_another_digest_under_the_same_tag_was_not_rolled_back_from() -> None:
    bad, mended = (f"app:v2@sha256:{digit * 64}" for digit in "12")
    made = [rollback(template("app:v1"), left=template(bad))]
    assert judged(bad, made, [], []).to_json()["compared_by"] == "digest"
    assert "Only the tag" not in judged(bad, made, [], []).why
    assert not judged(mended, made, [], []).rolled_back
    assert "Only the tag" in judged("app:v2", made, [], []).why
