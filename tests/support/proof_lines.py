"""What a proof has shown, in one line: `proof storm: alerts=195212 effects=64 over_budget=0`.

A proof asks for the fixture `proof` and calls it before it asserts, so that a promise that is not kept shows its
numbers as well. The line travels with the test's report and is printed where the session is led, whichever worker ran
the test; what else the test printed follows it.
"""

from typing import Any, Protocol

import pytest

_LINE = "proof"
"""The name of a report's property."""


class Prove(Protocol):
    """`proof("kill", kills=6, doubled=0)` says what was measured."""

    def __call__(self, name: str, **measured: int | str) -> None: ...


@pytest.fixture
def proof(record_property: Any) -> Prove:
    """Takes what a proof has measured."""

    def say(name: str, **measured: int | str) -> None:
        record_property(
            _LINE, f"proof {name}: " + " ".join(f"{key}={value}" for key, value in measured.items())
        )

    return say


class ProofLines:
    """A pytest plugin: prints the lines as the reports come in."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if report.when != "call" or terminal is None:
            return
        lines = [str(line) for name, line in report.user_properties if name == _LINE]
        for line in lines:
            terminal.write_line(line)
        if lines and report.passed and report.capstdout:
            terminal.write_line(report.capstdout.rstrip())
