"""Ten times the storm of the proof: 100,000 alerts over 10,000 targets, and three daemons that stand still."""

import asyncio
import tempfile
import time
from pathlib import Path

from tests.storms.test_proof_storm import prove
from tests.support.databases import Databases, private_postgres

TARGETS = 10_000


def main() -> None:
    """Print how many alerts were taken and planned, what was changed, and how long all of it took."""
    with private_postgres() as server, tempfile.TemporaryDirectory() as directory:
        databases = Databases(server)
        databases.make_templates()
        with databases.clone("driven") as dsn:
            began = time.monotonic()
            tally = asyncio.run(prove(Path(directory), [dsn], TARGETS))
            seconds = time.monotonic() - began
    over = len(tally.over)
    print(
        f"bench storm: alerts={tally.alerts} effects={tally.effects} over_budget={over} seconds={seconds:.0f}"
    )
