"""A healthy installation for the tests beside this file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from remediator.sandbox.alertmanager import Alertmanager
from remediator.sandbox.kubernetes import Emulator
from remediator.sandbox.prometheus import Prometheus
from tests.doctor.installation import Installation, Times


@pytest.fixture
async def installation(
    tmp_path: Path,
    real_time_database_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Installation]:
    """Everything up, with exactly the rights it needs; an Alertmanager that shows its addresses."""
    for name in ("DATABASE_URL", "CONFIG_FILE", "RULES", "KUBECONFIG"):
        monkeypatch.delenv(f"REMEDIATOR_{name}", raising=False)
    times = Times()
    async with (
        Emulator() as emulator,
        Alertmanager(clock=times.now, version="0.25.0") as alertmanager,
        Prometheus(clock=Times().now) as prometheus,
    ):
        made = Installation(tmp_path, capsys, emulator, alertmanager, prometheus, times)
        await made.setup(real_time_database_url)
        yield made
