"""Reading files of tests: every mistake of each, with its place, just as with rule files."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from remediator.catalogue import ALWAYS_ON
from remediator.rulebook import load
from remediator.rulebook.document import Document
from remediator.rulebook.files import find_test_files, read_file
from remediator.rulebook.load import Rulebook, rulebook_of
from remediator.rulebook.positions import read_yaml
from remediator.rulebook.problem import Fault, Problem, YamlPath, near_miss, written
from remediator.rulebook.schema import parse
from remediator.rulebook.shape import STEPS
from remediator.trial.case import Case, CaseFile, images_of
from remediator.trial.expected import Expected

_ACT = re.compile(r"restart|eviction|rollback to \S+|scaling to [0-9]+")
_GUARDS = {*STEPS["guards"], *(each.key() for each in ALWAYS_ON)}
_ACTIONS = set(STEPS["actions"])
_MAY_NAME = {
    "holds": _GUARDS | _ACTIONS | set(STEPS["verifications"]),
    "refuses": _GUARDS | _ACTIONS,
    "asks": _GUARDS | _ACTIONS,
}


@dataclass(frozen=True)
class Suite:
    """One file of tests that is in order, with the rules it is about."""

    path: Path
    cases: tuple[Case, ...]
    file: CaseFile
    rulebook: Rulebook


def read_suites(paths: Sequence[Path]) -> tuple[list[Suite], list[Problem]]:
    """Every file of tests below these paths, and everything that is wrong with them or with their rules."""
    found, problems = find_test_files(paths)
    suites: list[Suite] = []
    for path in found:
        suite = _read(path)
        if isinstance(suite, Suite):
            suites.append(suite)
        else:
            problems += suite
    return suites, problems


def _read(path: Path) -> Suite | list[Problem]:
    raw = read_file(path)
    if isinstance(raw, Problem):
        return [raw]
    document = read_yaml(raw)
    faults = list(document.faults)
    parsed = parse(CaseFile, document.content) if document.readable else ()
    if not isinstance(parsed, CaseFile):
        unread = [fault.path for fault in faults]
        faults += [each for each in parsed if not any(each.path[: len(at)] == at for at in unread)]
        return _problems(path, document, faults)
    rule_paths = [path.parent / each for each in parsed.rule_files]
    files, mistakes = load.read(rule_paths)
    if mistakes:
        return [*_problems(path, document, faults), *mistakes]
    rulebook = rulebook_of(files)
    faults += _second_names(parsed.tests)
    for index, case in enumerate(parsed.tests):
        faults += _of_case(("tests", index), case, rulebook)
    if faults:
        return _problems(path, document, faults)
    return Suite(path, parsed.tests, parsed, rulebook)


def _problems(path: Path, document: Document, faults: Iterable[Fault]) -> list[Problem]:
    found = []
    for each in faults:
        line, column = document.place(each)
        found.append(Problem(str(path), line, column, written(each.path), each.message, each.hint))
    return sorted(found)


def _second_names(cases: Sequence[Case]) -> Iterator[Fault]:
    names = [each.name for each in cases]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Fault(("tests", index, "name"), f"{name!r} is already the name of a test of this file")


def _of_case(path: YamlPath, case: Case, rulebook: Rulebook) -> Iterator[Fault]:
    workloads = [each.workload for each in case.workloads]
    for index, name in enumerate(workloads):
        if name in workloads[:index]:
            yield Fault((*path, "workloads", index, "workload"), f"{name} is there twice")
    yield from _two_healths(path, case)
    for index, write in enumerate(case.writes):
        if write.to.count("/") == 2 and write.to not in workloads:
            yield Fault(
                (*path, "writes", index, "to"), *_not_among(write.to, workloads, "workload of this test")
            )
    rules = [each.rule for each in rulebook.rules]
    for index, expected in enumerate(case.expect):
        yield from _of_expected((*path, "expect", index), expected, case, rules)


def _two_healths(path: YamlPath, case: Case) -> Iterator[Fault]:
    """An image behaves in one way: the emulated node knows it by its name."""
    healths: dict[str, tuple[object, ...]] = {}
    for index, workload in enumerate(case.workloads):
        for number, revision in enumerate(workload.revisions):
            mine = (revision.health, revision.ready_after, revision.turns)
            if healths.setdefault(revision.image, mine) != mine:
                at = (*path, "workloads", index, "revisions", number, "image")
                yield Fault(
                    at, f"{revision.image} has another health before: give what behaves otherwise another tag"
                )


def _of_expected(path: YamlPath, expected: Expected, case: Case, rules: list[str]) -> Iterator[Fault]:
    at = (*path, expected.kind)
    known = _MAY_NAME.get(expected.kind)
    if expected.at < timedelta(0):
        yield Fault((*path, "at"), "what is before the test begins cannot be expected")
    if known is not None and expected.what not in known:
        yield Fault(at, *_not_among(expected.what, sorted(known), "guard or action"))
    if expected.acts is not None:
        yield from _of_act(at, expected.acts, case)
    workloads = [each.workload for each in case.workloads]
    if expected.target is not None and expected.target not in workloads:
        yield Fault((*path, "target"), *_not_among(expected.target, workloads, "workload of this test"))
    if expected.rule is not None and expected.rule not in rules:
        yield Fault((*path, "rule"), *_not_among(expected.rule, rules, "rule"))


def _of_act(path: YamlPath, act: str, case: Case) -> Iterator[Fault]:
    if not _ACT.fullmatch(act):
        yield Fault(
            path, f"expected restart, rollback to IMAGE, scaling to NUMBER or eviction, found {act!r}"
        )
        return
    images = [revision.image for _, revision in images_of(case)]
    image = act.removeprefix("rollback to ")
    if act.startswith("rollback") and image not in images:
        yield Fault(path, *_not_among(image, images, "image of this test"))


def _not_among(word: str, known: Sequence[str], what: str) -> tuple[str, str]:
    return f"no {what} is called {word!r}", near_miss(word, known)
