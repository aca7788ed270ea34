"""Every mistake of mistakes/*.txt is told just as it stands there, with its place and what to do about it."""

import re
from pathlib import Path

import pytest

from tests.rulebook.told_mistakes import FAMILIES, MADE, Mistake, read

MISTAKES = {
    f"{family.stem}: {mistake.title}": mistake
    for family in sorted(FAMILIES.glob("*.txt"))
    for mistake in read(family)
}
ANEW = "if it is meant so: python -m tests.rulebook.told_mistakes, and read the difference"
JARGON = re.compile(
    r"\b(?:None|True|False|tuple|dict|pydantic|[Ii]nput should|[Vv]alidation|scalar|token|flow|parsing|scanning)\b"
)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_it_is_told_just_so(mistake: Mistake, tmp_path: Path) -> None:
    assert str(mistake.played(tmp_path)) == str(mistake), ANEW


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_it_is_told_without_the_words_of_programmers(mistake: Mistake) -> None:
    assert JARGON.findall(mistake.said) == []


def test_there_are_many_and_none_of_them_twice() -> None:
    assert len(MISTAKES) >= 120
    assert len({(each.files, each.command) for each in MISTAKES.values()}) == len(MISTAKES)
    assert sum("found" in each.said or "exit status 1" in each.said for each in MISTAKES.values()) >= 120


def test_nothing_is_made_that_no_mistake_needs() -> None:
    needed = re.findall(r"\(made: (\S+)\)", "".join(each.files for each in MISTAKES.values()))
    assert sorted(needed) == sorted(MADE)
