"""What watches a whole session, as a plugin; tests/conftest.py has it, and `pytest -p` may name it."""

import pytest

from tests.support.proof_lines import ProofLines
from tests.support.request_kinds import RequestKinds


def pytest_configure(config: pytest.Config) -> None:
    """Watch which requests the tests' emulators get, and print what proofs have shown."""
    config.pluginmanager.register(RequestKinds(), "request-kinds")
    config.pluginmanager.register(ProofLines(config), "proof-lines")
