"""Reading rule files: all of them into one rulebook, or everything that is wrong with them at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from remediator.domain.matcher import Matcher, MatcherError, parse_matchers
from remediator.domain.value import digest
from remediator.rulebook.checks import check_content
from remediator.rulebook.document import Document
from remediator.rulebook.files import find_rule_files, read_file
from remediator.rulebook.positions import read_yaml
from remediator.rulebook.problem import Fault, Problem, RulebookError, Severity, YamlPath, written
from remediator.rulebook.rule import LoadedRule, Rule, RuleFile, RuleTarget
from remediator.rulebook.schema import parse_rule_file
from remediator.rulebook.targets import with_their_targets

_MOST_ENTRIES = 2000
"""Rules, or targets, of one file."""


@dataclass(frozen=True)
class Rulebook:
    """All loaded rules. Never changed: a reload replaces it whole."""

    rules: tuple[LoadedRule, ...] = ()
    """In the order of the files, each with its file's defaults filled in."""
    targets: tuple[RuleTarget, ...] = ()
    files: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    """`file:line` of each rule by its name."""

    @cached_property
    def digest(self) -> str:
        """Names all that rules and targets say, and their order; where it was written does not count."""
        everything = {
            "rules": [each.model_dump(mode="json") for each in self.rules],
            "targets": [each.model_dump(mode="json") for each in self.targets],
        }
        return digest(everything)[:16]

    def where(self, rule_name: str) -> str:
        """`file:line` of a rule. Raises KeyError for a name no rule has."""
        return self.places[rule_name]


@dataclass
class ReadFile:
    """One rule file as it was read, with everything that is wrong with it."""

    name: str
    document: Document
    parsed: RuleFile | None
    """None when its shape is not that of a rule file."""
    faults: list[Fault]

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Its rules, with whatever the file's defaults give and they do not say themselves."""
        if self.parsed is None:
            return ()
        defaults = self.parsed.defaults
        given = {name: value for name, value in defaults if value is not None}
        return tuple(_with(given, rule) for rule in self.parsed.rules)

    def problem(self, fault: Fault, severity: Severity = "error") -> Problem:
        """The same, with file, line and column."""
        line, column = self.document.place(fault)
        return Problem(self.name, line, column, written(fault.path), fault.message, fault.hint, severity)

    def where(self, path: YamlPath) -> str:
        """`file:line` of what stands at this path."""
        return f"{self.name}:{self.document.place(Fault(path, '')).line}"


def load(paths: Sequence[Path]) -> Rulebook:
    """Read every rule file below these paths. Raises RulebookError with all problems of all files."""
    files, problems = read(paths)
    if problems:
        raise RulebookError(problems)
    return rulebook_of(files)


def rulebook_of(files: Sequence[ReadFile]) -> Rulebook:
    """The rulebook of files without mistakes."""
    rules: list[Rule] = []
    targets: list[RuleTarget] = []
    places: dict[str, str] = {}
    for file in files:
        for index, rule in enumerate(file.rules):
            rules.append(rule)
            places[rule.rule] = file.where(("rules", index, "rule"))
        targets += file.parsed.targets if file.parsed is not None else ()
    return Rulebook(
        with_their_targets(rules, targets), tuple(targets), tuple(each.name for each in files), places
    )


def check(paths: Sequence[Path]) -> tuple[Problem, ...]:
    """All problems of all rule files below these paths, by file, line and column."""
    return read(paths)[1]


def read(paths: Sequence[Path]) -> tuple[list[ReadFile], tuple[Problem, ...]]:
    """Every rule file below these paths as far as it can be read, and all problems of all of them."""
    found, problems = find_rule_files(paths)
    files: list[ReadFile] = []
    for path in found:
        raw = read_file(path)
        if isinstance(raw, Problem):
            problems.append(raw)
        else:
            files.append(_read_file(str(path), raw))
    for across in (_second_names, _second_targets):
        for file, fault in across(files):
            file.faults.append(fault)
    problems += [file.problem(fault) for file in files for fault in file.faults]
    order = {str(path): position for position, path in enumerate(found)}
    problems.sort(key=lambda each: (order.get(each.file, -1), each.line, each.column, each.message))
    return files, tuple(problems)


def _read_file(name: str, raw: bytes) -> ReadFile:
    document = read_yaml(raw)
    faults = list(document.faults)
    content = document.content
    if not document.readable:
        return ReadFile(name, document, None, faults)
    if content is None and not faults:
        return ReadFile(name, document, None, [Fault((), "an empty file", "delete it, or give it rules")])
    crowded = list(_too_many_entries(content))
    if crowded:
        return ReadFile(name, document, None, [*faults, *crowded])
    checked = check_content(content)
    parsed = parse_rule_file(content)
    if isinstance(parsed, RuleFile):
        if not parsed.rules and not parsed.targets and not faults:
            faults.append(Fault((), "neither rules nor targets in this file", "give it some, or delete it"))
        return ReadFile(name, document, parsed, [*faults, *checked])
    shape = [each for each in parsed if not _told_already(each, faults, checked)]
    return ReadFile(name, document, None, [*faults, *shape, *checked])


def _too_many_entries(content: Any) -> Iterator[Fault]:
    """Each mistake in each of them would be a sentence: nobody reads them, and they take memory."""
    for key in ("rules", "targets"):
        entries = content.get(key) if isinstance(content, dict) else None
        if isinstance(entries, tuple) and len(entries) > _MOST_ENTRIES:
            yield Fault((key,), f"{len(entries)} entries, of at most {_MOST_ENTRIES} in one file", "split it")


def _told_already(fault: Fault, unread: Iterable[Fault], checked: Iterable[Fault]) -> bool:
    """Whether it only follows from what YAML refused, there or right below, or was said of a more exact place."""
    depth = len(fault.path)
    for each in unread:
        if fault.path[: len(each.path)] == each.path or each.path[:-1] == fault.path:
            return True
    return any(each.path[:depth] == fault.path and each.message == fault.message for each in checked)


def _with(given: Mapping[str, Any], rule: Rule) -> Rule:
    missing = {name: value for name, value in given.items() if name not in rule.model_fields_set}
    return rule.model_copy(update=missing) if missing else rule


def _entries(file: ReadFile, key: str) -> Iterator[tuple[YamlPath, dict[str, Any]]]:
    """The mappings of a top-level list as far as there are any, whatever else is wrong with the file."""
    content = file.document.content if file.document.readable else None
    entries = content.get(key) if isinstance(content, dict) else None
    for index, entry in enumerate(entries if isinstance(entries, tuple) else ()):
        if isinstance(entry, dict):
            yield (key, index), entry


def _second_names(files: Iterable[ReadFile]) -> Iterator[tuple[ReadFile, Fault]]:
    """A name is one rule's, in all files: metrics, approvals and history go by it."""
    first: dict[str, str] = {}
    for file in files:
        for path, entry in _entries(file, "rules"):
            name = entry.get("rule")
            if not isinstance(name, str):
                continue
            if name in first:
                yield (
                    file,
                    Fault((*path, "rule"), f"{name!r} is already the name of the rule at {first[name]}"),
                )
            first.setdefault(name, file.where((*path, "rule")))


def _second_targets(files: Iterable[ReadFile]) -> Iterator[tuple[ReadFile, Fault]]:
    """The same matchers with two targets would leave every such alert without one."""
    first: dict[frozenset[Matcher], tuple[Any, str]] = {}
    for file in files:
        for path, entry in _entries(file, "targets"):
            lines = entry.get("match")
            for index, line in enumerate(lines if isinstance(lines, tuple) else ()):
                at = (*path, "match", index)
                mine = (entry.get("target"), file.where(at))
                matchers = _matchers_of(line)
                target, where = first.setdefault(matchers, mine) if matchers else mine
                if target != mine[0]:
                    yield file, Fault(at, f"the same matchers already mean {target} at {where}")


def _matchers_of(line: Any) -> frozenset[Matcher]:
    try:
        return frozenset(parse_matchers(line)) if isinstance(line, str) else frozenset()
    except MatcherError:
        return frozenset()
