"""What a rule file that is in order may say without meaning it. A daemon loads it all the same; people are warned."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta

from remediator.domain.duration import format_duration
from remediator.domain.matcher import parse_matchers
from remediator.guards.cooldown import Cooldown
from remediator.rulebook.core_schema import OTHERWISE_BEFORE
from remediator.rulebook.lines import matches_any
from remediator.rulebook.load import ReadFile, with_defaults
from remediator.rulebook.problem import Fault, Problem, YamlPath
from remediator.rulebook.rule import Rule, RuleFile
from remediator.rulebook.shadowed import shadowed


def lint(files: Sequence[ReadFile], today: date) -> tuple[Problem, ...]:
    """All warnings about the files without mistakes, by file, line and column.

    `today` is what review dates are held against. What a file with a mistake says is not known for sure.
    """
    sound = [file for file in files if not file.faults]
    found = [
        file.problem(fault, "warning")
        for file in sound
        if file.parsed is not None
        for fault in _of_file(file, file.parsed, today)
    ]
    found += [file.problem(fault, "warning") for file, fault in shadowed(sound)]
    order = {file.name: position for position, file in enumerate(files)}
    return tuple(sorted(found, key=lambda each: (order[each.file], each.line, each.column, each.message)))


def _of_file(file: ReadFile, parsed: RuleFile, today: date) -> Iterator[Fault]:
    yield from _other_meaning_before(file)
    for index, rule in enumerate(parsed.rules):
        for check in _CHECKS:
            yield from check(("rules", index), rule)
        due = with_defaults(rule, parsed.defaults).review_by
        if due is not None and due < today:
            path = ("rules", index, "review_by" if rule.review_by else "rule")
            yield Fault(path, f"it was to be looked at again by {due}", "do so, then move the date")


def _other_meaning_before(file: ReadFile) -> Iterator[Fault]:
    """Words that are text here and something else to programs that read YAML 1.1, as many do."""
    for path, spot in file.document.values.items():
        word = file.document.source[spot.start : spot.end]  # with its quotes, if it has any
        if path[-1:] != ("mode",) and OTHERWISE_BEFORE.fullmatch(word):
            yield Fault(path, f"{word} is text here, but not to every program that reads YAML", "quote it")


def _every_alert(path: YamlPath, rule: Rule) -> Iterator[Fault]:
    for index, line in enumerate(rule.match):
        matchers = parse_matchers(line)
        if all(matches_any(each) for each in matchers):
            names = " and ".join(dict.fromkeys(each.name for each in matchers))
            yield Fault((*path, "match", index), f"matches every alert with {names}, whatever it says there")


def _same_line_twice(path: YamlPath, rule: Rule) -> Iterator[Fault]:
    seen: dict[frozenset[object], int] = {}
    for index, line in enumerate(rule.match):
        first = seen.setdefault(frozenset(parse_matchers(line)), index)
        if first != index:
            yield Fault((*path, "match", index), f"says the same as match[{first}]", "take it out")


def _guards_nothing(path: YamlPath, rule: Rule) -> Iterator[Fault]:
    if rule.guards and not rule.ladder:
        yield Fault((*path, "guards"), "the rule changes nothing that they could guard", "give it actions")


def _cooldown_over_before_verified(path: YamlPath, rule: Rule) -> Iterator[Fault]:
    """While it is verified no other run may touch the target: such a cooldown says nothing."""
    verified = [each.within for rung in rule.ladder for each in rung.verifications]
    longest = max(verified, default=timedelta(0))
    for index, guard in enumerate(rule.guards):
        if isinstance(guard, Cooldown) and guard.lasts < longest:
            why = f"the cooldown may be over while the change is verified ({format_duration(longest)})"
            yield Fault((*path, "guards", index), why, f"write {format_duration(longest)} or more")


_CHECKS: tuple[Callable[[YamlPath, Rule], Iterable[Fault]], ...] = (
    _every_alert,
    _same_line_twice,
    _guards_nothing,
    _cooldown_over_before_verified,
)
