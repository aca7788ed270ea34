"""The emulated cluster most tests of the Kubernetes emulator use."""

from collections.abc import AsyncIterator

import pytest

from tests.sandbox.kubernetes_client import World, driven_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A cluster in which time is moved by hand and nothing lags, and a client that may do everything."""
    async with driven_world() as world:
        yield world
