"""Known vulnerabilities of the locked dependencies, without asking anybody: advisories come from files.

    python -m supply.advisories all.zip

Files are in the OSV format (https://ossf.github.io/osv-schema/): one JSON document, a directory of them, or the zip of
all advisories of the ecosystem PyPI, which osv.dev publishes. Exit status: 0 nothing found, 1 something is vulnerable,
2 it cannot be told: no advisory for PyPI was in what was given, or one could not be read.
"""

import argparse
import json
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from supply.lock import LOCK, Locked, normal, read

Advisory = Mapping[str, Any]


class Unreadable(Exception):
    """What was given cannot be held against anything."""


@dataclass(frozen=True, slots=True)
class Found:
    """One advisory that is about one locked dependency."""

    locked: Locked
    ids: str
    fixed: str
    summary: str

    def __str__(self) -> str:
        mend = f"fixed in {self.fixed}" if self.fixed else "no fixed version is known"
        return f"{self.locked.name} {self.locked.version}: {self.ids}: {self.summary} ({mend})"


def advisories(paths: Sequence[Path]) -> Iterator[Advisory]:
    """Every advisory about PyPI that was not withdrawn. Raises Unreadable."""
    for path in paths:
        for name, text in _documents(path):
            try:
                document = json.loads(text)
                affected = document.get("affected", [])
                if not document.get("withdrawn") and any(_of_pypi(each) for each in affected):
                    yield document
            except (ValueError, AttributeError, KeyError, TypeError) as reason:
                raise Unreadable(f"{name}: no advisory: {reason}") from reason


def _documents(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        if path.is_dir():
            for each in sorted(path.rglob("*.json")):
                yield str(each), each.read_bytes()
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    if name.endswith(".json"):
                        yield f"{path}:{name}", archive.read(name)
        else:
            yield str(path), path.read_bytes()
    except (OSError, zipfile.BadZipFile) as reason:
        raise Unreadable(f"{path}: {reason}") from reason


def _of_pypi(affected: Mapping[str, Any]) -> bool:
    return bool(affected.get("package", {}).get("ecosystem") == "PyPI")


def about(locked: Locked, advisory: Advisory) -> Found | None:
    """What an advisory says of a dependency. Raises Unreadable for a version that cannot be compared."""
    for affected in advisory["affected"]:
        if not _of_pypi(affected) or normal(affected["package"]["name"]) != locked.name:
            continue
        events = [
            each["events"] for each in affected.get("ranges", ()) if each["type"] in ("ECOSYSTEM", "SEMVER")
        ]
        if locked.version in affected.get("versions", ()) or any(
            _within(locked.version, each) for each in events
        ):
            fixes = (event["fixed"] for each in events for event in each if "fixed" in event)
            fixed = [each for each in fixes if _version(each) > _version(locked.version)]
            ids = ", ".join([advisory["id"], *advisory.get("aliases", ())])
            summary = advisory.get("summary") or advisory.get("details", "")[:100]
            return Found(locked, ids, min(fixed, key=_version, default=""), " ".join(summary.split()))
    return None


def _within(version: str, events: Sequence[Mapping[str, str]]) -> bool:
    """Whether a version lies in a range, as the OSV schema evaluates it: the last event before it decides."""
    ours, vulnerable = _version(version), False
    for kind, at in sorted(((kind, at) for each in events for kind, at in each.items()), key=_when):
        if kind == "introduced" and (at == "0" or ours >= _version(at)):
            vulnerable = True
        elif (kind == "fixed" and ours >= _version(at)) or (kind == "last_affected" and ours > _version(at)):
            vulnerable = False
    return vulnerable


def _when(event: tuple[str, str]) -> tuple[Version, bool]:
    kind, at = event
    return _version("0a0.dev0" if at == "0" else at), kind != "introduced"


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion as reason:
        raise Unreadable(f"a version that cannot be compared: {text!r}") from reason


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was found; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m supply.advisories", description="known vulnerabilities, offline"
    )
    parser.add_argument("advisories", nargs="+", type=Path, help="a file, directory or zip of OSV advisories")
    parser.add_argument("--lock", type=Path, default=LOCK, help="%(default)s")
    options = parser.parse_args(arguments)
    try:
        locked = read(options.lock)
        known = list(advisories(options.advisories))
        found = [hit for each in known for one in locked if (hit := about(one, each)) is not None]
    except (Unreadable, ValueError, OSError) as reason:
        print(f"it cannot be told: {reason}", file=sys.stderr)
        return 2
    if not known or not locked:
        print(
            "it cannot be told: there is nothing to compare; no advisory for PyPI, or no dependency",
            file=sys.stderr,
        )
        return 2
    for each in found:
        print(each)
    newest = max(str(each.get("modified", "")) for each in known)
    print(f"{len(locked)} dependencies, {len(known)} advisories, the newest of {newest}: {len(found)} found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
