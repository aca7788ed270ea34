"""The check of request_kinds.py as a plugin; tests/conftest.py has it, and `pytest -p` may name it."""

import pytest

from tests.support.request_kinds import RequestKinds


def pytest_configure(config: pytest.Config) -> None:
    """Watch which requests the tests' emulators get."""
    config.pluginmanager.register(RequestKinds(), "request-kinds")
