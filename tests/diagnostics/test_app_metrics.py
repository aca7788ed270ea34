"""app_metrics: what a service says of itself, and which of its counters grow."""

import asyncio
import time
from typing import Any

import pytest
from aiohttp import web

from remediator.diagnostics.app_metrics import AppMetrics
from remediator.domain.exposition import differences, read
from remediator.sandbox.loopback_server import LoopbackServer
from tests.diagnostics.looking import looked
from tests.guards.facts import Facts
from tests.guards.test_dependency_healthy import leads_to

LOOPBACK = {"http_allow": ["127.0.0.1"]}
PAGE = """# HELP http_errors_total Errors.
# TYPE http_errors_total counter
http_errors_total{code="500"} %d
http_errors_total{code="503"} 3
# TYPE temperature gauge
temperature 21.5
# TYPE error_seconds histogram
error_seconds_bucket{le="+Inf"} 4
error_seconds_sum 1.5
error_seconds_count 4
"""


class Pages(LoopbackServer):
    """Each scrape finds a counter grown by ten."""

    def __init__(self, page: str = PAGE, status: int = 200) -> None:
        super().__init__([web.get("/metrics", self._page)])
        self._shown, self._status = page, status
        self.asked = 0

    async def _page(self, _: web.Request) -> web.Response:
        self.asked += 1
        text = self._shown.replace("%d", str(10 * self.asked))
        return web.Response(status=self._status, text=text)


def asking(pages: Pages, between: str = "0s", families: str = "error") -> AppMetrics:
    return AppMetrics.model_validate(
        {"url": f"{pages.url}/metrics", "families": families, "between": between}
    )


@pytest.mark.parametrize("settings", [LOOPBACK])
async def test_only_the_chosen_families_are_told(facts: Facts, settings: Any) -> None:
    async with Pages() as pages:
        evidence = await looked(facts, asking(pages))
    assert pages.asked == 1
    assert evidence.summary == "5 samples of error: one scrape"
    assert evidence.details["values"]['http_errors_total{code="500"}'] == "10"
    assert "temperature" not in evidence.details["values"]


@pytest.mark.parametrize("settings", [LOOPBACK])
async def test_two_scrapes_are_made_when_a_time_lies_between(facts: Facts, settings: Any) -> None:
    async with Pages() as pages:
        evidence = await looked(facts, asking(pages, between="1ms"))
    assert pages.asked == 2
    assert evidence.details["values"]['http_errors_total{code="500"}'] == "20"


@pytest.mark.parametrize("settings", [LOOPBACK])
@pytest.mark.parametrize(
    ("page", "status", "why"),
    [
        (PAGE, 503, "answered 503"),
        ("error_total one two three\n", 200, "does not speak Prometheus' text format"),
        ("<html>no metrics</html>", 200, "0 samples of error"),
        ("x" * (9 * 2**20), 200, "answered with more than"),
    ],
)
async def test_a_page_that_is_none_has_a_sentence(
    facts: Facts, settings: Any, page: str, status: int, why: str
) -> None:
    async with Pages(page, status) as pages:
        evidence = await looked(facts, asking(pages))
    assert why in evidence.summary


async def test_an_address_that_is_not_allowed_is_not_asked(facts: Facts) -> None:
    async with Pages() as pages:
        evidence = await looked(facts, asking(pages))
    assert (evidence.failed, pages.asked) == (True, 0)
    assert "add it to http_allow" in evidence.summary


@pytest.mark.parametrize("settings", [{"http_allow": ["shop.svc"]}])
async def test_a_name_that_leads_elsewhere_once_it_was_checked_is_not_asked(
    facts: Facts, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", leads_to("127.0.0.1", "fd00:ec2::254"))
    evidence = await looked(facts, AppMetrics(url="http://shop.svc:1/metrics", families="error"))
    assert evidence.failed
    assert "leads to fd00:ec2::254, the metadata service of a cloud, which is never asked" in evidence.summary


def test_what_counts_up_has_a_rate_and_what_began_anew_counts_from_nothing() -> None:
    before = read(
        "# TYPE a_total counter\na_total 100\n# TYPE b_total counter\nb_total 50\n# TYPE c gauge\nc 1\n",
        "",
        100,
    )
    after = read(
        "# TYPE a_total counter\na_total 130\n# TYPE b_total counter\nb_total 10\n# TYPE c gauge\nc 9\n",
        "",
        100,
    )
    assert differences(before, after, 10.0) == {"a_total": 3.0, "b_total": 1.0}
    assert differences(before, after, 0.0) == {}


def test_a_page_without_end_is_read_up_to_the_budget() -> None:
    page = "".join(f'error_total{{path="/{number}"}} 1\n' for number in range(5000))
    found = read(page, "error", 2000)
    assert (len(found.values), found.left_out) == (2000, 3000)


def test_a_pattern_that_re2_refuses_stands_in_no_rule() -> None:
    with pytest.raises(ValueError, match="not a regular expression"):
        AppMetrics(url="http://shop.svc/metrics", families="(?=a)")


def test_a_line_that_would_take_the_parser_minutes_is_left_out() -> None:
    long = 'errors_total{path="' + '\\"' * 400_000 + '"} 1'
    assert read(f"{long}\nerrors_total 2\n", "error", 100) == ({"errors_total": 2.0}, frozenset(), 1)


def test_a_label_may_hold_what_elsewhere_breaks_a_line() -> None:
    found = read('errors_total{path="a\u2028error b"} 1\n', "error", 100)
    assert list(found.values) == ['errors_total{path="a\u2028error b"}']


@pytest.mark.parametrize("settings", [LOOPBACK])
async def test_others_get_their_turn_while_a_large_page_is_read(facts: Facts, settings: Any) -> None:
    page = "".join(f'errors_total{{path="/items/{each}"}} {each}\n' for each in range(40_000))
    looking, gaps = True, [0.0]

    async def watch() -> None:
        before = time.monotonic()
        while looking:
            await asyncio.sleep(0)
            now = time.monotonic()
            gaps.append(now - before)
            before = now

    async with Pages(page) as pages:
        began, watching = time.monotonic(), asyncio.create_task(watch())
        evidence = await looked(facts, asking(pages))
        took, looking = time.monotonic() - began, False
        await watching
    assert evidence.details["left_out"] == 40_000 - 100
    assert max(gaps) < took / 2
