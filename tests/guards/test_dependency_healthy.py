"""dependency_healthy: what the target needs is well, by its pods or by an address that operators allowed."""

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from remediator.clients.probe import why_no_probe, why_not_allowed
from remediator.guards.dependency_healthy import DependencyHealthy
from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.faults import AnswerStatus
from remediator.sandbox.loopback_server import LoopbackServer
from tests.guards.facts import Facts
from tests.support.world import workload

DATABASE = "statefulset/shop/postgresql"
DEPENDS = DependencyHealthy()
NEEDS = {"depends_on": (DATABASE,)}


def with_image(image: str, replicas: int = 2) -> dict[str, Any]:
    made = workload("StatefulSet", "postgresql", replicas=replicas)
    container = made["spec"]["template"]["spec"]["containers"][0]
    container.update(image=image, readinessProbe={"httpGet": {"path": "/healthz", "port": 8080}})
    return made


async def runs(facts: Facts, made: dict[str, Any], seconds: float = 60) -> None:
    facts.emulator.create(made)
    await facts.clock.advance(seconds)
    await facts.emulator.catch_up()


@pytest.mark.parametrize(
    ("made", "answer", "sentence"),
    [
        (with_image("db:v1"), "allow", "2 of 2 pods of statefulset/shop/postgresql are ready"),
        (with_image("db:v1", replicas=0), "refuse", "is scaled to zero"),
        (with_image("db:never-ready"), "refuse", "0 of 2 pods of statefulset/shop/postgresql are ready"),
        (with_image("db:crash"), "refuse", "statefulset/shop/postgresql: Pods of"),
    ],
)
async def test_a_workload_it_depends_on(
    facts: Facts, made: dict[str, Any], answer: str, sentence: str
) -> None:
    await runs(facts, made)
    verdict = await facts.verdict(DEPENDS, facts.run(**NEEDS))
    assert verdict.answer == answer, verdict.why
    assert sentence in verdict.why
    assert verdict.passing is (answer == "refuse")
    assert set(verdict.inputs) == {DATABASE}


async def test_one_that_is_ill_decides_before_one_that_is_unknown(facts: Facts) -> None:
    await runs(facts, with_image("db:v1", replicas=0))
    needs = ("service/shop/cache", "deployment/shop/gone", DATABASE)
    verdict = await facts.verdict(DEPENDS, facts.run(depends_on=needs))
    assert (verdict.answer, set(verdict.inputs)) == ("refuse", set(needs))
    verdict = await facts.verdict(DEPENDS, facts.run(depends_on=needs[:2]))
    assert verdict.answer == "unknown"
    assert "it is not a deployment, statefulset, daemonset" in verdict.inputs["service/shop/cache"]
    assert "does not exist" in verdict.inputs["deployment/shop/gone"]


@pytest.mark.parametrize("status", [401, 403, 429, 500])
async def test_what_cannot_be_read_is_unknown(facts: Facts, status: int) -> None:
    await runs(facts, with_image("db:v1"))
    refused = AnswerStatus(status, "Refused", "no")
    facts.emulator.faults.add(Fault("GET", "/statefulsets/postgresql$", refused, times=None))
    verdict = await facts.verdict(DEPENDS, facts.run(**NEEDS))
    assert (verdict.answer, verdict.passing) == ("unknown", True)
    assert str(status) in verdict.why


async def test_without_any_dependency_it_says_how_to_name_one(facts: Facts) -> None:
    verdict = await facts.verdict(DEPENDS)
    assert (verdict.answer, verdict.passing) == ("refuse", False)
    assert "name them in depends_on under targets:" in verdict.why


async def test_a_rule_for_every_workload_asks_where_a_dependency_is_named(facts: Facts) -> None:
    where_known = DependencyHealthy(where_known=True)
    assert (await facts.verdict(where_known)).answer == "allow"
    await runs(facts, with_image("db:v1", replicas=0))
    assert (await facts.verdict(where_known, facts.run(**NEEDS))).answer == "refuse"


class Service(LoopbackServer):
    """Answers what a test says, and knows whether it was asked."""

    def __init__(self) -> None:
        super().__init__([web.get("/healthz", self._health)])
        self.answers = 200
        self.asked = 0

    async def _health(self, _: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(status=self.answers, headers={"Location": "/elsewhere"})


LOOPBACK = {"http_allow": ["127.0.0.1"]}


@pytest.mark.parametrize("settings", [LOOPBACK])
@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, "allow"),
        (204, "allow"),
        (302, "unknown"),
        (401, "refuse"),
        (404, "refuse"),
        (429, "refuse"),
        (503, "refuse"),
    ],
)
async def test_an_address_that_answers(facts: Facts, settings: Any, status: int, answer: str) -> None:
    async with Service() as service:
        service.answers = status
        verdict = await facts.verdict(DependencyHealthy(http=f"{service.url}/healthz"))
    assert verdict.answer == answer, verdict.why
    assert verdict.passing is (answer != "allow")
    assert (service.asked, verdict.inputs["status"], verdict.inputs["wanted"]) == (1, status, "2xx")


@pytest.mark.parametrize("settings", [LOOPBACK])
async def test_an_address_that_does_not_answer_is_unknown(facts: Facts, settings: Any) -> None:
    async with Service() as service:
        guard = DependencyHealthy(http=f"{service.url}/healthz")
        await service.stop()
        verdict = await facts.verdict(guard)
    assert verdict.answer == "unknown"
    assert "cannot connect" in verdict.why


@pytest.mark.parametrize("settings", [{"http_allow": ["localhost", "127.0.0.1:1"]}, {}])
async def test_an_address_that_is_not_allowed_is_not_asked(facts: Facts, settings: Any) -> None:
    async with Service() as service:
        verdict = await facts.verdict(DependencyHealthy(http=f"{service.url}/healthz"))
    assert (verdict.answer, verdict.passing, service.asked) == ("refuse", False, 0)
    assert "add it to http_allow in remediator.yml" in verdict.why


FORBIDDEN = (
    "ftp://payments.shop.svc/",
    "file:///etc/passwd",
    "payments.shop.svc:8080/healthz",
    "http://",
    "http:///healthz",
    "http://[fe80::1]:8080/",
    "http://[::ffff:169.254.169.254]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://168.63.129.16/",
    "http://[fd00:ec2::254]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::]/",
    "http://0.0.0.0:8080/",
    "http://224.0.0.1/",
    "http://me@payments.shop.svc/",
    "http://me:secret@payments.shop.svc/",
    "http://payments.shop.svc/#x",
    "http://${labels.host}/healthz",
    "http://[::1/",
)


@pytest.mark.parametrize("url", FORBIDDEN)
def test_addresses_that_can_never_be_asked(url: str) -> None:
    assert why_no_probe(url) is not None
    with pytest.raises(ValueError, match="cannot be asked"):
        DependencyHealthy(http=url)


@pytest.mark.parametrize(
    ("url", "allowed", "may"),
    [
        ("http://payments.shop.svc:8080/healthz", ["payments.shop.svc"], True),
        ("http://payments.shop.svc:8080/healthz", ["payments.shop.svc:8080"], True),
        ("http://PAYMENTS.shop.svc/healthz", ["payments.shop.svc:80"], True),
        ("https://payments.shop.svc/healthz", ["payments.shop.svc:443"], True),
        ("http://payments.shop.svc:8081/healthz", ["payments.shop.svc:8080"], False),
        ("http://payments.shop.svc.evil.example/", ["payments.shop.svc"], False),
        ("http://evil.example/payments.shop.svc", ["payments.shop.svc"], False),
        ("http://payments.shop.svc/", [], False),
    ],
)
def test_what_is_allowed_is_a_host_and_its_port(url: str, allowed: list[str], may: bool) -> None:
    assert (why_not_allowed(url, allowed) is None) is may


@pytest.mark.parametrize("settings", [{"http_allow": ["metadata.shop.svc"]}])
async def test_a_name_that_leads_to_a_link_local_address_is_not_asked(
    facts: Facts, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", leads_to("169.254.169.254"))
    verdict = await facts.verdict(DependencyHealthy(http="http://metadata.shop.svc/latest"))
    assert verdict.answer == "unknown"
    assert "leads to 169.254.169.254, a link-local address, which is never asked" in verdict.why


@pytest.mark.parametrize("settings", [{"http_allow": ["metadata.shop.svc"]}])
async def test_a_name_that_leads_elsewhere_once_it_was_checked_is_not_asked(
    facts: Facts, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", leads_to("127.0.0.1", "169.254.169.254"))
    verdict = await facts.verdict(DependencyHealthy(http="http://metadata.shop.svc:1/latest"))
    assert verdict.answer == "unknown"
    assert "leads to 169.254.169.254, a link-local address, which is never asked" in verdict.why


def leads_to(*addresses: str) -> Callable[..., list[Any]]:
    """The system's look-up of names, which is no part of ours: what it answers in turn, the last for good."""
    left = list(addresses)
    return lambda *_, **__: [(2, 1, 6, "", (left.pop(0) if len(left) > 1 else left[0], 80))]
