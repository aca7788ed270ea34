"""What the image is made of is known: from the lock, with its licences, and without asking anybody."""

import json
import re
from pathlib import Path
from zipfile import ZipFile

import pytest

from supply import advisories, licences, sbom
from supply.lock import LOCK, ROOT, read

DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_every_dependency_of_the_project_is_read_from_the_lock_with_its_hashes() -> None:
    locked = read()
    assert {each.name for each in locked} >= {"aiohttp", "asyncpg", "kubernetes-asyncio", "pyyaml"}
    assert all(each.hashes for each in locked)
    assert len(locked) == LOCK.read_text().count("==")
    parents = {name for each in locked for name in each.via}
    assert parents <= {"remediator", *(each.name for each in locked)}


def test_a_line_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "odd.lock").write_text("aiohttp @ file:///aiohttp.whl\n")
    with pytest.raises(ValueError, match=r"odd.lock:1: cannot be read"):
        read(tmp_path / "odd.lock")


def test_the_licences_in_the_documents_are_those_of_the_lock() -> None:
    assert (ROOT / "docs" / "licences.md").read_text() == "\n".join(licences.table()) + "\n"


@pytest.mark.parametrize(
    "said", [["AGPL-3.0-only"], ["MIT AND GPL-3.0-only"], ["Proprietary"], ["UNKNOWN", ""], []]
)
def test_a_licence_that_is_unknown_or_may_not_be_passed_on_fails(said: list[str]) -> None:
    with pytest.raises(licences.NotAllowed, match="odd"):
        licences.judged("odd", said)


def test_the_bill_names_every_dependency_and_what_needs_it_and_is_the_same_every_time() -> None:
    bill = sbom.bill()
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert [each["purl"] for each in bill["components"]] == [each.purl for each in read()]
    graph = {each["ref"]: each["dependsOn"] for each in bill["dependencies"]}
    references = {each["bom-ref"] for each in (*bill["components"], bill["metadata"]["component"])}
    assert set(graph) == references
    assert {each for needed in graph.values() for each in needed} == {
        each["bom-ref"] for each in bill["components"]
    }
    (aiohttp,) = [ref for ref in graph if "/aiohttp@" in ref]
    assert any("/yarl@" in each for each in graph[aiohttp])
    assert json.dumps(sbom.bill()) == json.dumps(bill)


def advisory(name: str, *events: dict[str, str], **more: object) -> dict[str, object]:
    return {
        "id": "PYSEC-1",
        "aliases": ["CVE-1"],
        "modified": "2026-11-01T00:00:00Z",
        "summary": "it is bad",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": name},
                "ranges": [{"type": "ECOSYSTEM", "events": list(events)}],
                **more,
            }
        ],
    }


def told(tmp_path: Path, capsys: pytest.CaptureFixture[str], *documents: object) -> tuple[int, str]:
    (tmp_path / "some.lock").write_text("aiohttp==3.14.5 \\\n    --hash=sha256:" + "a" * 64 + "\n")
    folder = tmp_path / "advisories"
    folder.mkdir()
    for number, each in enumerate(documents):
        (folder / f"{number}.json").write_text(each if isinstance(each, str) else json.dumps(each))
    status = advisories.main([str(folder), "--lock", str(tmp_path / "some.lock")])
    out = capsys.readouterr()
    return status, out.out + out.err


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([{"introduced": "0"}, {"fixed": "3.14.6"}], 1),
        ([{"introduced": "0"}, {"fixed": "3.14.5"}], 0),
        ([{"introduced": "3.14.5"}], 1),
        ([{"introduced": "3.14.6"}], 0),
        ([{"introduced": "0"}, {"last_affected": "3.14.5"}], 1),
        ([{"introduced": "0"}, {"last_affected": "3.14.4"}], 0),
        ([{"introduced": "0"}, {"fixed": "3.9"}, {"introduced": "3.14.0"}, {"fixed": "3.15"}], 1),
        ([{"fixed": "3.15"}, {"introduced": "3.14.0"}, {"fixed": "3.9"}, {"introduced": "0"}], 1),
        ([{"introduced": "3.14.10"}], 0),
    ],
)
def test_an_advisory_is_held_against_the_version_in_the_lock(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], events: list[dict[str, str]], status: int
) -> None:
    assert told(tmp_path, capsys, advisory("AIOHTTP", *events))[0] == status


def test_what_is_found_is_named_with_the_version_that_mends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out = told(tmp_path, capsys, advisory("aiohttp", {"introduced": "0"}, {"fixed": "3.15"}))
    assert out.splitlines()[0] == "aiohttp 3.14.5: PYSEC-1, CVE-1: it is bad (fixed in 3.15)"
    assert (status, out.splitlines()[1]) == (
        1,
        "1 dependencies, 1 advisories, the newest of 2026-11-01T00:00:00Z: 1 found",
    )


@pytest.mark.parametrize("listed", [["3.14.5"], ["3.14.4"]])
def test_versions_may_be_listed_instead(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], listed: list[str]
) -> None:
    assert told(tmp_path, capsys, advisory("aiohttp", versions=listed))[0] == (listed == ["3.14.5"])


@pytest.mark.parametrize(
    "document",
    [
        {**advisory("aiohttp", {"introduced": "0"}), "withdrawn": "2026-01-01T00:00:00Z"},
        {"id": "GO-1", "affected": [{"package": {"ecosystem": "Go", "name": "aiohttp"}}]},
        "{",
        '["not an advisory"]',
        advisory("aiohttp", {"introduced": "soon"}),
    ],
    ids=["withdrawn", "elsewhere", "no JSON", "no advisory", "no version"],
)
def test_what_cannot_be_told_is_no_all_clear(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], document: object
) -> None:
    status, out = told(tmp_path, capsys, document)
    assert (status, out.startswith("it cannot be told: ")) == (2, True)


def test_the_zip_of_an_ecosystem_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("PYSEC-1.json", json.dumps(advisory("aiohttp", {"introduced": "0"})))
    assert advisories.main([str(tmp_path / "all.zip")]) == 1
    assert "aiohttp" in capsys.readouterr().out


def test_the_image_is_built_from_the_locks_alone() -> None:
    installs = re.findall(r"^RUN (pip .*)$", DOCKERFILE, re.MULTILINE)
    assert len(installs) == 4
    for each in installs:
        from_a_lock = "--require-hashes -r requirements" in each
        offline = "--no-deps" in each and ("--no-index" in each or "--no-build-isolation" in each)
        assert from_a_lock or offline, each
    assert "requirements-dev.lock" not in DOCKERFILE


def test_the_image_runs_as_nobody_and_writes_nothing() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "\nUSER 65532:65532\n" in last
    assert "PYTHONDONTWRITEBYTECODE=1" in last
    assert "RUN" not in last
    # As a list, so that the daemon is process 1 and gets SIGTERM itself.
    assert '\nENTRYPOINT ["remediator"]\n' in last
