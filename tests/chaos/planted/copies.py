"""Plants a bug in a copy of the product, and looks whether what should find it does."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from remediator.sandbox.postgres import PostgresServer
from tests.chaos.kills import ROOT, told
from tests.chaos.planted.bugs import Bug

_LEFT_OUT = shutil.ignore_patterns("__pycache__")
_SECONDS = 300


def planted(bug: Bug, directory: Path) -> Path:
    """A copy of the product and its tests, with the bug. Raises ValueError when its place is gone."""
    source = (ROOT / "remediator" / bug.file).read_text()
    if source.count(bug.old) != 1:
        raise ValueError(f"{bug.name}: in {bug.file} its old text stands {source.count(bug.old)} times")
    for each in ("remediator", "tests"):
        shutil.copytree(ROOT / each, directory / each, ignore=_LEFT_OUT)
    shutil.copy(ROOT / "pyproject.toml", directory)
    (directory / "remediator" / bug.file).write_text(source.replace(bug.old, bug.new))
    return directory


def is_found(bug: Bug, directory: Path, server: PostgresServer) -> str | None:
    """Why the bug planted in `directory` was not found; None when it was."""
    where = _run(directory, "-c", "import remediator; print(remediator.__file__)").stdout.strip()
    if not where.startswith(str(directory)):
        return f"the copy was not what ran: {where}"
    if isinstance(bug.found_by, str):
        ended = _run(directory, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", bug.found_by)
        # 1 is pytest's word for tests that failed; an error before that finds nothing.
        return None if ended.returncode == 1 else f"{bug.found_by} ended with {ended.returncode}"
    found = told(server, [bug.found_by], root=directory)
    if found.kills != len(bug.found_by.faults) and not found.violations:
        return f"only {found.kills} of its faults came"
    if any(bug.says in each for each in found.violations):
        return None
    return f"instead of {bug.says!r} the checks said {found.violations}"


def _run(directory: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
        env={**os.environ, "PYTHONPATH": str(directory), "PYTHONDONTWRITEBYTECODE": "1"},
    )
