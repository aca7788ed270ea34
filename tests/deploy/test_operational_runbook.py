"""docs/operational-runbook.md has every row of the runbook, and says of none more than what is there."""

import pytest

from tests.deploy.operational_runbook import Row, exists, proven, rows
from tests.support.proof_lines import Prove

ROWS = {
    "3.1": 4,
    "3.2": 10,
    "3.3": 9,
    "3.4": 6,
    "3.5": 13,
    "3.6": 10,
    "3.7": 7,
    "3.8": 9,
    "3.9": 5,
    "3.10": 7,
    "3.11": 8,
    "3.12": 5,
    "3.13": 11,
}
"""How many the checklist of the runbook has in each section."""
MAY_STAY_OPEN = {*(f"{section}." for section in ("3.1", "3.9", "3.13")), "3.2.8", "3.2.9", "3.2.10"}
"""Severity, contacts and reports; the channel, the status page and whom to notify."""
AT_LEAST = 80
GONE = {
    "diagnostic": "no_such_look",
    "procedure": "no_such_procedure",
    "rule": "no-such-rule",
    "command": "runs fly",
}


def may_stay_open(row: Row) -> bool:
    return row.number in MAY_STAY_OPEN or f"{row.section}." in MAY_STAY_OPEN


def test_every_row_is_there_once_and_in_order() -> None:
    wanted = [f"{section}.{index}" for section, count in ROWS.items() for index in range(1, count + 1)]
    assert len(wanted) == 104
    assert [each.number for each in rows()] == wanted


@pytest.mark.parametrize(
    "row", [each for each in rows() if each.status != "open"], ids=lambda row: row.number
)
def test_what_a_row_names_exists_and_so_does_its_test(row: Row) -> None:
    assert row.things, "nothing is named"
    assert row.missing == []
    assert proven(row.proof), row.proof
    assert (row.status == "handed over") == any(kind == "procedure" for kind, _ in row.things)


@pytest.mark.parametrize(
    "row", [each for each in rows() if each.status == "open"], ids=lambda row: row.number
)
def test_what_is_open_may_be(row: Row) -> None:
    assert may_stay_open(row)
    assert row.things == [], "what it names serves it"


@pytest.mark.parametrize("kind", GONE)
def test_what_is_not_there_is_not_found(kind: str) -> None:
    assert not exists(kind, GONE[kind])


@pytest.mark.parametrize(
    "named",
    [
        "tests/deploy/test_operational_runbook.py::test_no_such_thing",
        "tests/deploy/test_operational_runbook.py",
        "tests/deploy",
        "",
    ],
)
def test_a_test_that_is_not_there_proves_nothing(named: str) -> None:
    is_there = "tests/deploy/test_operational_runbook.py::test_every_row_is_there_once_and_in_order"
    assert not proven(named)
    assert not proven(f"`{is_there}`, `{named}`")
    assert proven(f"`{is_there}`, `{is_there}`")


@pytest.mark.proof
def test_proof_runbook(proof: Prove) -> None:
    every = rows()
    kept = [each for each in every if each.status != "open" and not each.missing and proven(each.proof)]
    left = [each for each in every if each not in kept]
    served = sum(each.status == "served" for each in kept)
    handed_over = len(kept) - served
    proof("runbook", rows=len(every), served=served, handed_over=handed_over, open=len(left))
    assert len(every) == len({each.number for each in every}) == sum(ROWS.values()) == 104
    assert served + handed_over >= AT_LEAST
    assert all(map(may_stay_open, left))
