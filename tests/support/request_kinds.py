"""Every kind of request that reaches an emulator during the tests is one the emulator is known to answer rightly.

A kind is a verb, a resource with its subresource, and the content type of a body. It is proven by a recorded exchange
that the emulator answers equally (tests/sandbox/test_kubernetes_contract.py), or it stands on the list DOCUMENTED with
the documentation its answer was built from. Answers with 501 need neither: they claim nothing.

The kinds are gathered while tests run, in every worker, and judged when the session ends, in one place: one that is
neither proven nor documented fails the run, whatever the tests said.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

import pytest

from remediator.sandbox.kubernetes.effects import LoggedRequest
from remediator.sandbox.kubernetes.request import Call, parse_route
from remediator.sandbox.kubernetes.server import OBSERVERS
from tests.sandbox.kubernetes_documented_requests import DOCUMENTED
from tests.sandbox.kubernetes_recordings import exchanges_of
from tests.sandbox.kubernetes_scenarios import SCENARIOS

_GATHERED = "request_kinds"
"""The key of a worker's report."""
_REPLAYS = "test_kubernetes_contract.py"
"""The tests that replay the recordings; they judge the answers themselves."""


def kind_of(method: str, path: str, query: Mapping[str, str], content_type: str) -> str:
    """Such as `patch deployments.apps/scale with application/merge-patch+json`, or `get /version`."""
    route = parse_route(Call(method, path, query))
    if route is None:
        return f"{method.lower()} {path}"
    name, slash, subresource = route.full_resource.partition("/")
    resource = f"{name}.{route.group}" if route.group else name
    body = f" with {content_type}" if content_type and method not in ("GET", "HEAD") else ""
    return f"{route.verb} {resource}{slash}{subresource}{body}"


def replayed_kinds() -> set[str]:
    """The kinds of the recorded exchanges that the emulator answers equally."""
    kinds = set()
    for name, scenario in SCENARIOS.items():
        for exchange in exchanges_of([name, *scenario.parts]):
            request = exchange["request"]
            if exchange["name"] not in scenario.explained:
                content_type = request["headers"].get("content-type", "")
                kinds.add(kind_of(request["method"], request["path"], dict(request["query"]), content_type))
    return kinds


def unproven(gathered: Mapping[str, str], proven: set[str]) -> list[str]:
    """A sentence for each kind that nothing vouches for; `gathered` is each kind and the test that sent it."""
    return [
        f"No recorded exchange and no documentation vouches for how the emulator answers `{kind}`, sent by {test}."
        for kind, test in sorted(gathered.items())
        if kind not in proven
    ]


class RequestKinds:
    """A pytest plugin: gathers, hands over from the workers, judges."""

    def __init__(self) -> None:
        self.gathered: dict[str, str] = {}
        self.sentences: list[str] = []

    def observe(self, request: LoggedRequest) -> None:
        """Note a request by the test that runs."""
        test = os.environ.get("PYTEST_CURRENT_TEST", "something outside the tests").partition(" (")[0]
        if request.status == 501 or _REPLAYS in test:
            return
        kind = kind_of(request.method, request.path, request.query, request.content_type)
        self.gathered.setdefault(kind, test)

    def pytest_sessionstart(self) -> None:
        OBSERVERS.append(self.observe)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of pytest-xdist has ended; one that crashed has reported nothing."""
        for kind, test in json.loads(getattr(node, "workeroutput", {}).get(_GATHERED, "{}")).items():
            self.gathered.setdefault(kind, test)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        OBSERVERS.remove(self.observe)
        report = getattr(session.config, "workeroutput", None)
        if report is not None:
            report[_GATHERED] = json.dumps(self.gathered)
        elif self.gathered:
            self.sentences = unproven(self.gathered, replayed_kinds() | set(DOCUMENTED))
            if self.sentences and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.sentences:
            terminalreporter.section("requests that nothing vouches for", red=True)
            for sentence in self.sentences:
                terminalreporter.line(sentence)
            terminalreporter.line("See tests/support/request_kinds.py.")
