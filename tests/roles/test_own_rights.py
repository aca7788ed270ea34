"""More rights than declared, or rights that cannot be told: nothing is changed, and it is said which and why."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from remediator.clients.kube_connection import connect
from remediator.clients.kube_rules import KubeOwnRules
from remediator.domain.own_rights import NOWHERE_GRANTED, Held, beyond
from remediator.domain.rights import EVERYWHERE, IN_A_NAMESPACE, Right
from remediator.domain.run_view import Mode
from remediator.errors import Retryable
from remediator.planning.own_rights import OwnRights
from remediator.planning.policy import Policy
from remediator.sandbox.kubernetes import EVERYTHING, AccessRule, Account, Emulator, Fault
from remediator.sandbox.kubernetes.faults import Action, AnswerStatus, DropBeforeApplying
from remediator.settings.load import Settings
from remediator.settings.sections import Kubernetes
from remediator.trial.account import least_account
from tests.support.clock import DrivenClock
from tests.support.people import Someone
from tests.support.story import ROLLBACK, Story, told

REVIEW = "/selfsubjectrulesreviews$"
LEAST = least_account("remediator", "kube-token")


def granted(*rules: AccessRule) -> Account:
    """The declared rights and these."""
    return replace(LEAST, rules=(*LEAST.rules, *rules))


@dataclass
class Asking:
    """A process that asks an API server what it may do."""

    emulator: Emulator
    rules: KubeOwnRules
    clock: DrivenClock

    def by(
        self, ceiling: Mode = "act", ceilings: dict[str, Mode] | None = None, **settings: Any
    ) -> OwnRights:
        async def opted_in() -> list[str]:
            return ["shop", "web"]

        policy = Policy.of(Settings(ceiling=ceiling, ceilings=ceilings or {}))
        return OwnRights(self.rules, self.clock, Kubernetes(**settings), policy, opted_in)

    def asked(self) -> int:
        """How often the API server was asked."""
        return sum(1 for each in self.emulator.requests if each.path.endswith("/selfsubjectrulesreviews"))

    def answers(self, **status: Any) -> None:
        """What the API server answers from now on."""
        body = {"kind": "SelfSubjectRulesReview", "status": status}
        self.emulator.faults.add(Fault("POST", REVIEW, AnswerStatus(201, body=body), times=None))


@pytest.fixture
async def asking(tmp_path: Path, clock: DrivenClock) -> AsyncIterator[Asking]:
    async with Emulator(clock, accounts=(LEAST,)) as emulator:
        connection = await connect(emulator.kubeconfig(tmp_path / "kubeconfig", token="kube-token"))
        yield Asking(emulator, KubeOwnRules(connection), clock)
        await connection.close()


async def test_exactly_what_is_declared_is_not_too_much(asking: Asking) -> None:
    assert await asking.by().too_many("shop") is None


async def test_a_part_of_it_is_not_too_much_either(asking: Asking) -> None:
    one_name = AccessRule(("patch",), ("apps",), ("deployments",), ("shop",), ("api",))
    asking.emulator.access.add(Account("remediator", "kube-token", rules=(one_name,)))
    assert await asking.by().too_many("shop") is None


MORE: dict[str, tuple[AccessRule, str]] = {
    "one verb": (AccessRule(("delete",), ("",), ("pods",), ("shop",)), "delete pods in namespace shop"),
    "one resource": (AccessRule(("get",), ("",), ("secrets",), ("shop",)), "get secrets in namespace shop"),
    "a subresource": (AccessRule(("create",), ("",), ("pods/exec",), ("shop",)), "create pods/exec"),
    "one object": (AccessRule(("get",), ("",), ("secrets",), ("shop",), ("db",)), "get secrets db"),
    "every verb": (AccessRule(("*",), ("apps",), ("deployments",), ("shop",)), "* deployments.apps"),
    "every resource": (AccessRule(("get",), ("apps",), ("*",), ("shop",)), "get *.apps"),
    "every group": (AccessRule(("get",), ("*",), ("deployments",), ("shop",)), "get deployments.*"),
    "all of a namespace": (AccessRule(("*",), ("*",), ("*",), ("shop",)), "* *.* in namespace shop"),
    "all of the cluster": (EVERYTHING, "* *.* everywhere"),
    "to act, everywhere": (
        AccessRule(("patch",), ("apps",), ("deployments",)),
        "patch deployments.apps everywhere",
    ),
    "to look, everywhere": (AccessRule(("list",), ("",), ("pods",)), "list pods everywhere"),
    "what is declared everywhere alone, in a namespace": (
        AccessRule(("watch",), ("",), ("namespaces",)),
        "watch namespaces everywhere",
    ),
    "impersonation": (AccessRule(("impersonate",), ("",), ("users",)), "impersonate users everywhere"),
}


@pytest.mark.parametrize(("rule", "sentence"), MORE.values(), ids=MORE)
async def test_more_is_named_with_its_verb_and_resource_and_how_to_mend_it(
    asking: Asking, rule: AccessRule, sentence: str
) -> None:
    asking.emulator.access.add(granted(rule))
    said = await asking.by().too_many("shop")
    assert said is not None
    assert sentence in said
    assert "`remediator rbac`" in said


async def test_more_in_another_namespace_is_of_no_matter_here(asking: Asking) -> None:
    asking.emulator.access.add(granted(AccessRule(("delete",), ("",), ("pods",), ("other",))))
    assert await asking.by().too_many("shop") is None
    assert await asking.by().too_many("other") is not None


async def test_what_the_cluster_gives_to_everybody_can_be_named(asking: Asking) -> None:
    projects = AccessRule(("create",), ("project.openshift.io",), ("projectrequests",))
    asking.emulator.access.add(granted(projects))
    named = "create projectrequests.project.openshift.io"
    assert named in (await asking.by().too_many("shop") or "")
    assert await asking.by(of_everybody=[named]).too_many("shop") is None


UNKNOWN: dict[str, Action] = {
    "500": AnswerStatus(500, "InternalError"),
    "403": AnswerStatus(403, "Forbidden"),
    "401": AnswerStatus(401, "Unauthorized"),
    "404": AnswerStatus(404, "NotFound"),
    "half": AnswerStatus(201, body='{"kind": "SelfS'),
    "no status": AnswerStatus(201, body={"kind": "SelfSubjectRulesReview"}),
    "no rules": AnswerStatus(201, body={"status": {"incomplete": False}}),
    "200": AnswerStatus(200, body={"status": {"resourceRules": [], "incomplete": False}}),
    "a rule that is none": AnswerStatus(201, body={"status": {"resourceRules": ["*"], "incomplete": False}}),
    "verbs that are none": AnswerStatus(
        201, body={"status": {"resourceRules": [{"verbs": "*"}], "incomplete": False}}
    ),
    "dropped": DropBeforeApplying(),
    "incomplete": AnswerStatus(201, body={"status": {"resourceRules": [], "incomplete": True}}),
    "it does not say whether it is complete": AnswerStatus(201, body={"status": {"resourceRules": []}}),
}


@pytest.mark.parametrize("action", UNKNOWN.values(), ids=UNKNOWN)
async def test_what_is_not_clearly_said_is_unknown_and_forbids(asking: Asking, action: Action) -> None:
    asking.emulator.faults.add(Fault("POST", REVIEW, action, times=None))
    rights = asking.by()
    with pytest.raises(Retryable):
        await rights.too_many("shop")
    assert "cannot be told what this process may do" in (await rights.why_not_act() or "")


async def test_an_incomplete_list_is_gone_by_only_when_an_operator_says_so(asking: Asking) -> None:
    asking.answers(resourceRules=[], incomplete=True, evaluationError="webhook authorizer lists nothing")
    with pytest.raises(Retryable, match="webhook authorizer lists nothing"):
        await asking.by().too_many("shop")
    assert await asking.by(trust_listed_rights=True).too_many("shop") is None


async def test_an_incomplete_list_that_shows_too_much_already_is_too_much(asking: Asking) -> None:
    secrets = {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]}
    asking.answers(resourceRules=[secrets], incomplete=True)
    assert "get secrets" in (await asking.by().too_many("shop") or "")


@pytest.mark.parametrize("ceiling", ["off", "shadow"])
async def test_under_a_ceiling_that_lets_nothing_be_changed_nothing_is_asked_held_or_told(
    asking: Asking, ceiling: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    asking.answers(resourceRules=[], incomplete=True, evaluationError="webhook authorizer lists nothing")
    rights = asking.by(ceiling=ceiling)
    assert await rights.cap("shop") == []
    assert await rights.why_not_act() is None
    await rights.tick()
    assert (asking.asked(), caplog.messages) == (0, [])


async def test_a_namespace_under_such_a_ceiling_is_not_asked_about(
    asking: Asking, caplog: pytest.LogCaptureFixture
) -> None:
    asking.emulator.access.add(granted(AccessRule(("delete",), ("",), ("pods",), ("shop",))))
    rights = asking.by(ceilings={"shop": "shadow"})
    assert (await rights.cap("shop"), asking.asked()) == ([], 0)
    await rights.tick()
    assert (asking.asked(), caplog.messages) == (2, []), "in general, and about web"


async def test_too_much_in_one_namespace_holds_that_one_and_is_told_of_it_alone(
    asking: Asking, caplog: pytest.LogCaptureFixture
) -> None:
    asking.emulator.access.add(granted(AccessRule(("delete",), ("",), ("pods",), ("shop",))))
    rights = asking.by()
    assert await rights.why_not_act() is None
    assert [cap.mode for cap in await rights.cap("shop")] == ["shadow"]
    assert await rights.cap("web") == []
    await rights.tick()
    (message,) = caplog.messages
    assert message.startswith("nothing is changed in namespace shop: it may delete pods in namespace shop")


async def test_an_unclear_answer_is_good_for_some_seconds_and_asked_for_one_at_a_time(
    asking: Asking, clock: DrivenClock
) -> None:
    asking.answers(resourceRules=[], incomplete=True)
    rights = asking.by()
    said = await asyncio.gather(*(rights.why_not_act() for _ in range(20)))
    assert (len(set(said)), asking.asked()) == (1, 1)
    assert "as in EKS, GKE and AKS" in str(said[0])
    await clock.advance(6)
    await rights.why_not_act()
    assert asking.asked() == 2


async def test_what_is_too_much_is_told_from_the_start_once_and_when_it_is_over(
    asking: Asking, clock: DrivenClock, caplog: pytest.LogCaptureFixture
) -> None:
    rights = asking.by()
    asking.emulator.access.add(granted(EVERYTHING))
    for _ in range(3):
        await rights.tick()
        await clock.advance(61)
    assert ["* *.* everywhere" in each for each in caplog.messages] == [True]
    assert [cap.mode for cap in rights.known_everywhere()] == ["shadow"]
    asking.emulator.access.add(LEAST)
    await rights.tick()
    assert caplog.messages[1:] == ["this process may do no more anywhere than it declares"]
    assert rights.known_everywhere() == []


async def test_an_answer_is_good_for_a_minute(asking: Asking, clock: DrivenClock) -> None:
    rights = asking.by()
    assert await rights.too_many("shop") is None
    asking.emulator.access.add(granted(EVERYTHING))
    assert await rights.too_many("shop") is None
    await clock.advance(61)
    assert await rights.too_many("shop") is not None


def test_what_kubernetes_binds_to_every_account_is_not_too_much() -> None:
    """Where there are trust bundles, it binds system:cluster-trust-bundle-discovery to every ServiceAccount."""
    bundles = [Right(verb, "certificates.k8s.io", "clustertrustbundles") for verb in ("get", "list", "watch")]
    assert beyond(map(Held, bundles), NOWHERE_GRANTED) == []


def test_every_declared_right_is_declared_where_it_is_granted_and_nowhere_else() -> None:
    inside, everywhere = [{Held(each.right) for each in table} for table in (IN_A_NAMESPACE, EVERYWHERE)]
    assert beyond(inside | everywhere, "shop") == []
    assert beyond(everywhere, NOWHERE_GRANTED) == []
    assert set(beyond(inside, NOWHERE_GRANTED)) == inside - everywhere
    assert beyond({Held(Right("delete", "", "pods"))}, "shop") == [Held(Right("delete", "", "pods"))]


async def ready_to_act(story: Story) -> tuple[int, str]:
    answer = await Someone.named("kim", story.url).send("GET", "/-/ready/act")
    return answer.status, str(answer.json.get("error"))


async def test_a_daemon_with_one_verb_more_looks_and_changes_nothing_until_it_is_taken_away(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock) as story:
        story.emulator.access.add(granted(AccessRule(("delete",), ("",), ("pods",), ("shop",))))
        await story.bad_release()
        await story.fire()
        run = await story.run()
        assert (run.state, story.effects()) == ("BLOCKED", [])
        assert "it may delete pods in namespace shop, which nothing here needs" in str(run.why)
        assert (await ready_to_act(story))[0] == 200, "in other namespaces something may be changed"
        story.emulator.access.add(granted(AccessRule(("delete",), ("",), ("pods",))))
        await clock.advance(61)
        status, why = await ready_to_act(story)
        assert (status, "delete pods everywhere" in why) == (503, True)
        story.emulator.access.add(LEAST)
        await story.soak(12 * 60)
        assert (await ready_to_act(story))[0] == 200
        await story.fire()
        await story.let(60)
        assert story.effects() == ["app:v1"]


async def test_while_rights_cannot_be_told_a_change_waits(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock) as story:
        laid = story.emulator.faults.add(
            Fault("POST", REVIEW, AnswerStatus(500, "InternalError"), times=None)
        )
        await story.bad_release()
        await story.fire()
        run = await story.run()
        assert (run.ended_at, story.effects()) == (None, [])
        assert "what we may do" in str(run.why)
        story.emulator.faults.remove(laid)
        await story.let(2 * 60)
        assert story.effects() == ["app:v1"]


async def test_a_run_that_only_looks_hangs_on_no_rights(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    """Where a webhook authorizes beside RBAC, no list of rights is ever complete."""
    async with told(tmp_path, database_url, clock, ROLLBACK.replace("mode: act", "mode: shadow")) as story:
        incomplete = {"status": {"resourceRules": [], "incomplete": True}}
        story.emulator.faults.add(Fault("POST", REVIEW, AnswerStatus(201, body=incomplete), times=None))
        await story.bad_release()
        await story.fire()
        assert (await story.run()).mode == "shadow"
        registry = story.daemon.metrics.registry
        answers = {
            each: registry.get_sample_value(
                "remediator_guard_verdicts_total", {"guard": "rule_in_force", "answer": each}
            )
            for each in ("allow", "unknown")
        }
        assert answers == {"allow": 1, "unknown": 0}
