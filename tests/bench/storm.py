"""Ten times the storm of the proof: 100,000 alerts over 10,000 targets, and three daemons that stand still.

Then 100,000 and a fifth of them again through three daemons that are processes, for what they keep in memory.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from tests.storms.deluge import deluge
from tests.storms.test_proof_storm import prove
from tests.support.databases import Databases, private_postgres

TARGETS = 10_000
ALERTS = 100_000


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
    print(_deluge())


def _deluge() -> str:
    with private_postgres() as server, tempfile.TemporaryDirectory() as directory:
        databases = Databases(server)
        databases.make_templates()
        with databases.clone("real") as dsn:
            seen = asyncio.run(deluge(Path(directory), dsn, ALERTS, seed=1, patience=1800))
    return (
        f"bench deluge: posted={seen.posted} acknowledged={seen.acknowledged} stored={seen.stored} "
        f"disposed={seen.disposed} mebibytes={seen.mebibytes} seconds={seen.seconds:.0f}"
    )
