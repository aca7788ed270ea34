"""The planted bugs are still where they can be planted, and each is a mistake Python would run."""

import ast

import pytest

from tests.chaos.kills import ROOT
from tests.chaos.planted.bugs import BUGS, Bug


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_bug_has_its_place_in_the_product(bug: Bug) -> None:
    source = (ROOT / "remediator" / bug.file).read_text()
    assert source.count(bug.old) == 1
    mistaken = source.replace(bug.old, bug.new)
    assert ast.dump(ast.parse(mistaken)) != ast.dump(ast.parse(source))


def test_there_are_enough_of_them() -> None:
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 15
