"""Which files of a directory are rule files, and their bytes."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from remediator.rulebook.positions import MOST_BYTES
from remediator.rulebook.problem import Problem

_ENDINGS = (".yaml", ".yml")
_TESTS = (".test.yaml", ".test.yml")
_EXAMPLES = "examples"


def find_rule_files(paths: Sequence[Path]) -> tuple[list[Path], list[Problem]]:
    """All rule files below the paths, each once, by name; and the paths that hold none.

    Hidden names are passed over. That also makes a mounted ConfigMap count once: its files are links
    into `..data`, which is a link into a directory named after the time.
    """
    found: list[Path] = []
    problems: list[Problem] = []
    seen: set[Path] = set()
    for path in paths:
        try:
            below = list(_below(path, seen)) if path.is_dir() else [path]
        except OSError as reason:
            problems.append(_unusable(path, f"cannot be searched: {reason.strerror}"))
            continue
        if not below:
            problems.append(_unusable(path, "no rule files (*.yaml, *.yml) in this directory"))
        found += [each for each in below if _first_time(each, seen)]
    return found, problems


def read_file(path: Path) -> bytes | Problem:
    """The file's bytes, one more than allowed when it is too large; or why there are none."""
    try:
        if path.exists() and not path.is_file():
            return _unusable(path, "not a file")
        with path.open("rb") as opened:
            return opened.read(MOST_BYTES + 1)
    except OSError as reason:
        return _unusable(path, f"cannot be read: {reason.strerror}")


def _below(directory: Path, seen: set[Path]) -> Iterator[Path]:
    if not _first_time(directory, seen):
        return
    for entry in sorted(directory.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if entry.name != _EXAMPLES:
                yield from _below(entry, seen)
        elif entry.name.endswith(_ENDINGS) and not entry.name.endswith(_TESTS):
            yield entry


def _first_time(path: Path, seen: set[Path]) -> bool:
    """Whether this very file or directory, links followed, was not met before."""
    real = path.resolve()
    if real in seen:
        return False
    seen.add(real)
    return True


def _unusable(path: Path, message: str) -> Problem:
    return Problem(str(path), 0, 0, "", message)
