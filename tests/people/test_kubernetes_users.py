"""Users of Kubernetes: whom the API server vouches for, and what of it is remembered for how long."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from remediator.sandbox.kubernetes import AccessRule, Account, Fault
from remediator.sandbox.kubernetes.faults import Action, AnswerStatus, DropBeforeApplying
from tests.support.clock import DrivenClock
from tests.support.people import Someone, people
from tests.support.story import ROLLBACK, Story, told
from tests.support.web import bearer

ASK = ROLLBACK.replace("mode: act", "mode: ask")
RUNS = "/api/v1/runs"
SAME: dict[str, Any] = {"uid": "7", "extra": {"scopes": ("a", "b")}}
TOKENS, ACCESS = "/tokenreviews$", "/subjectaccessreviews$"


def account(name: str, *verbs: str, audiences: Sequence[str] = ("remediator",), **more: Any) -> Account:
    """Somebody whose token is `NAME-kube`, and who may do this to `remediator.io/runs`."""
    rules = (AccessRule(verbs, ("remediator.io",), ("runs",)),) if verbs else ()
    return Account(name, f"{name}-kube", rules=rules, audiences=audiences, **more)


@dataclass
class Cluster:
    """A daemon that takes users of Kubernetes, and a run that waits for people."""

    story: Story

    def user(self, name: str) -> Someone:
        return Someone(self.story.url, bearer(f"{name}-kube"))

    def reviews(self) -> int:
        """How often the API server was asked."""
        ours = ("/tokenreviews", "/subjectaccessreviews")
        return len([each for each in self.story.emulator.requests if each.path.endswith(ours)])


@pytest.fixture
async def cluster(tmp_path: Path, database_url: str, clock: DrivenClock) -> AsyncIterator[Cluster]:
    settings = {**people(tmp_path, kim=("view",)), "kubernetes_people": {}}
    async with told(tmp_path, database_url, clock, ASK, settings) as story:
        for each in (
            account("looker", "get"),
            account("approver", "get", "approve", **SAME),
            account("operator", "operate"),
            account("stranger"),
            account("elsewhere", "get", audiences=("other",)),
            account(
                "admin-of-the-cluster", "get", audiences=("https://kubernetes.default.svc.cluster.local",)
            ),
        ):
            story.emulator.access.add(each)
        yield Cluster(story)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("looker", 200),
        ("approver", 200),
        ("operator", 403),
        ("stranger", 403),
        ("elsewhere", 401),
        ("admin-of-the-cluster", 401),
        ("nobody", 401),
    ],
)
async def test_kubernetes_says_who_may_look(cluster: Cluster, name: str, status: int) -> None:
    assert (await cluster.user(name).send("GET", RUNS)).status == status


async def test_a_person_with_a_token_file_is_not_asked_about(cluster: Cluster) -> None:
    kim = Someone.named("kim", cluster.story.url)
    assert (await kim.send("GET", RUNS)).status == 200
    assert cluster.reviews() == 0


@pytest.mark.parametrize(("name", "approve", "operate"), [("approver", 404, 403), ("operator", 403, 201)])
async def test_each_role_is_a_verb_of_its_own(
    cluster: Cluster, name: str, approve: int, operate: int
) -> None:
    user = cluster.user(name)
    assert (await user.approve(99, "0123")).status == approve
    pause = {"scope": "everything", "why": "to see"}
    assert (await user.send("POST", "/api/v1/pauses", pause)).status == operate


async def test_those_who_look_are_remembered_for_half_a_minute_and_not_longer(
    cluster: Cluster, clock: DrivenClock
) -> None:
    looker = cluster.user("looker")
    assert (await looker.send("GET", RUNS)).status == 200
    asked = cluster.reviews()
    cluster.story.emulator.access.remove("looker-kube")
    assert (await looker.send("GET", RUNS)).status == 200
    assert cluster.reviews() == asked
    await clock.advance(31)
    assert (await looker.send("GET", RUNS)).status == 401


async def test_those_who_approve_are_asked_about_every_time(cluster: Cluster) -> None:
    approver = cluster.user("approver")
    assert (await approver.send("GET", RUNS)).status == 200
    assert (await approver.approve(99, "0123")).status == 404
    cluster.story.emulator.access.add(account("approver", "get", **SAME))
    assert (await approver.approve(99, "0123")).status == 403
    cluster.story.emulator.access.remove("approver-kube")
    assert (await approver.approve(99, "0123")).status == 401
    assert (await approver.send("GET", RUNS)).status == 200, "looking is still remembered"


async def test_those_who_pause_are_asked_about_every_time(cluster: Cluster) -> None:
    pause = {"scope": "everything", "why": "to see"}
    cluster.story.emulator.access.add(account("operator", "get", "operate"))
    operator = cluster.user("operator")
    assert (await operator.send("GET", RUNS)).status == 200
    assert (await operator.send("POST", "/api/v1/pauses", pause)).status == 201
    cluster.story.emulator.access.add(account("operator", "get"))
    assert (await operator.send("POST", "/api/v1/pauses", pause)).status == 403
    cluster.story.emulator.access.remove("operator-kube")
    assert (await operator.send("POST", "/api/v1/pauses", pause)).status == 401


UNCLEAR: dict[str, Action] = {
    "500": AnswerStatus(500, "InternalError"),
    "503": AnswerStatus(503, "ServiceUnavailable"),
    "429": AnswerStatus(429, "TooManyRequests"),
    "403": AnswerStatus(403, "Forbidden"),
    "401": AnswerStatus(401, "Unauthorized"),
    "404": AnswerStatus(404, "NotFound"),
    "200": AnswerStatus(200, body={"status": {"authenticated": True, "allowed": True}}),
    "empty": AnswerStatus(201, body=""),
    "half": AnswerStatus(201, body='{"kind": "Tok'),
    "no status": AnswerStatus(201, body={"kind": "TokenReview"}),
    "another kind": AnswerStatus(201, body={"kind": "Status", "status": {"allowed": True}}),
    "dropped": DropBeforeApplying(),
}


@pytest.mark.parametrize("review", [TOKENS, ACCESS])
@pytest.mark.parametrize("action", UNCLEAR.values(), ids=UNCLEAR)
async def test_what_kubernetes_does_not_clearly_say_is_503_and_never_a_yes(
    cluster: Cluster, review: str, action: Action
) -> None:
    cluster.story.emulator.faults.add(Fault("POST", review, action, times=None))
    for answer in (
        await cluster.user("looker").send("GET", RUNS),
        await cluster.user("approver").approve(99, "0123"),
    ):
        assert answer.status == 503, answer
        assert b"looker-kube" not in answer.body


_REVIEW = {"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1"}
_USER = {"username": "looker", "groups": []}
NOT_VOUCHED_FOR: dict[str, dict[str, Any]] = {
    "not authenticated": {"user": _USER, "audiences": ["remediator"]},
    "a word for true": {"authenticated": "true", "user": _USER, "audiences": ["remediator"]},
    "unaware of audiences": {"authenticated": True, "user": _USER},
    "for somebody else": {"authenticated": True, "user": _USER, "audiences": ["other"]},
    "nameless": {"authenticated": True, "user": {"username": ""}, "audiences": ["remediator"]},
    "without a user": {"authenticated": True, "audiences": ["remediator"]},
}


@pytest.mark.parametrize("status", NOT_VOUCHED_FOR.values(), ids=NOT_VOUCHED_FOR)
async def test_a_review_that_does_not_vouch_for_our_audience_is_a_no(
    cluster: Cluster, status: dict[str, Any]
) -> None:
    answer = AnswerStatus(201, body={**_REVIEW, "status": status})
    cluster.story.emulator.faults.add(Fault("POST", TOKENS, answer, times=None))
    assert (await cluster.user("looker").send("GET", RUNS)).status == 401


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ({"allowed": True, "denied": True}, 403),
        ({"allowed": False}, 403),
        ({"allowed": False, "evaluationError": "the authorizer is away"}, 503),
        ({"allowed": "true"}, 503),
        ({}, 503),
    ],
)
async def test_only_a_plain_yes_of_an_access_review_counts(
    cluster: Cluster, status: dict[str, Any], code: int
) -> None:
    body = {"kind": "SubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "status": status}
    cluster.story.emulator.faults.add(Fault("POST", ACCESS, AnswerStatus(201, body=body), times=None))
    assert (await cluster.user("looker").send("GET", RUNS)).status == code


async def waiting(cluster: Cluster) -> None:
    """A run waits, and the approver has agreed."""
    await cluster.story.bad_release()
    await cluster.story.fire()
    assert (await cluster.user("approver").approve(1, why="seen it")).status == 200


async def test_a_user_of_kubernetes_agrees_and_is_asked_about_again_before_the_write(
    cluster: Cluster,
) -> None:
    await waiting(cluster)
    asked = cluster.reviews()
    await cluster.story.settle()
    assert cluster.story.effects() == ["app:v1"]
    assert cluster.reviews() > asked
    (kept,) = (await cluster.user("looker").run(1))["approvals"]
    (answer,) = kept["answers"]
    assert (answer["who"], answer["principal"]["proof"]) == ("approver", "kubernetes")
    assert (answer["principal"]["uid"], answer["principal"]["extra"]) == ("7", {"scopes": ["a", "b"]})
    assert "approver-kube" not in str(kept), "the token is kept nowhere"
    (notice,) = [
        each["message"]
        for each in cluster.story.emulator.list("events", "shop")
        if each["reason"] == "RemediatorAsks"
    ]
    assert "whoever may approve runs.remediator.io in Kubernetes" in notice


async def test_a_right_that_was_taken_away_since_does_not_count(cluster: Cluster) -> None:
    await waiting(cluster)
    assert await cluster.story.daemon.worker.tick()
    assert (await cluster.story.run()).state == "APPROVED"
    cluster.story.emulator.access.add(account("approver", "get"))
    await cluster.story.let(60)
    run = await cluster.story.run()
    assert run.state == "BLOCKED"
    assert "approver, who agreed, lacks the role approve now" in (run.why or "")
    assert cluster.story.effects() == []


async def test_while_nobody_can_tell_whether_the_right_is_still_there_nothing_is_done(
    cluster: Cluster,
) -> None:
    await waiting(cluster)
    laid = cluster.story.emulator.faults.add(
        Fault("POST", ACCESS, AnswerStatus(503, "ServiceUnavailable"), times=None)
    )
    await cluster.story.let(2 * 60)
    run = await cluster.story.run()
    assert (run.state, cluster.story.effects()) == ("CLEARED", [])
    assert "still may cannot be told" in (run.why or "")
    cluster.story.emulator.faults.remove(laid)
    await cluster.story.let(60)
    assert cluster.story.effects() == ["app:v1"]


async def test_without_the_setting_no_token_is_ever_reviewed(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, ASK, people(tmp_path, kim=("view",))) as story:
        story.emulator.access.add(account("looker", "get"))
        cluster = Cluster(story)
        assert (await cluster.user("looker").send("GET", RUNS)).status == 401
        assert cluster.reviews() == 0
