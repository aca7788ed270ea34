"""Which files of a directory are rule files or files of tests, and their bytes."""

from collections.abc import Callable, Iterator, Sequence
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
    return _find(paths, _is_rule_file, "no rule files (*.yaml, *.yml) in this directory")


def find_test_files(paths: Sequence[Path]) -> tuple[list[Path], list[Problem]]:
    """All files of tests below the paths, as `find_rule_files` finds the rules they stand beside."""
    found, problems = _find(paths, _is_test_file, "no files of tests (*.test.yaml) in this directory")
    for path in [each for each in found if not _is_test_file(each.name)]:
        found.remove(path)
        problems.append(_unusable(path, f"not named like a file of tests ({path.stem}.test.yaml)"))
    return found, problems


def _is_rule_file(name: str) -> bool:
    return name.endswith(_ENDINGS) and not _is_test_file(name)


def _is_test_file(name: str) -> bool:
    return name.endswith(_TESTS)


def _find(
    paths: Sequence[Path], wanted: Callable[[str], bool], why_none: str
) -> tuple[list[Path], list[Problem]]:
    found: list[Path] = []
    problems: list[Problem] = []
    seen: set[Path] = set()
    for path in paths:
        try:
            below = list(_below(path, seen, wanted)) if path.is_dir() else [path]
        except OSError as reason:
            problems.append(_unusable(path, f"cannot be searched: {reason.strerror}"))
            continue
        if not below:
            problems.append(_unusable(path, why_none))
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


def _below(directory: Path, seen: set[Path], wanted: Callable[[str], bool]) -> Iterator[Path]:
    if not _first_time(directory, seen):
        return
    for entry in sorted(directory.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if entry.name != _EXAMPLES:
                yield from _below(entry, seen, wanted)
        elif wanted(entry.name):
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
