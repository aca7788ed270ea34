"""What rule files cost: reading and checking 5,000, and matching an alert against 10,000, beside the naive way."""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from remediator.domain.matcher import Matcher, parse_matchers
from remediator.rulebook.lint import lint
from remediator.rulebook.load import Rulebook, load, read
from remediator.rulebook.match import Matching

_CHECKED, _MATCHED, _OVERLAPPING = 5_000, 10_000, 2_000
_A_FILE = 500
_Labels = Mapping[str, str]
_Rulemaker = Callable[[int], str]


def main() -> None:
    """Print the figures; asserts nothing but that both ways find the same rules."""
    _reading()
    _matching("equal names", _by_name)
    _matching("with overlapping patterns", _by_name_or_pattern)


def _by_name(number: int) -> str:
    return f'{{alertname="Alert{number}", severity=~"critical|page", namespace="ns-{number % 200}"}}'


def _by_name_or_pattern(number: int) -> str:
    if number >= _OVERLAPPING:
        return _by_name(number)
    return (
        f'{{alertname=~"Alert{number // 10}.*|Slow[0-9]{{1,{1 + number % 7}}}", job=~"job-{number % 50}.*"}}'
    )


def _written(directory: Path, rules: int, match: _Rulemaker) -> None:
    for first in range(0, rules, _A_FILE):
        entries = "".join(_entry(number, match) for number in range(first, min(first + _A_FILE, rules)))
        (directory / f"{first:06}.yaml").write_text(f"defaults: {{mode: act}}\nrules:\n{entries}")


def _entry(number: int, match: _Rulemaker) -> str:
    return (
        f"  - rule: rule-{number}\n    match: ['{match(number)}']\n    diagnostics: [pods, logs: {{tail: 100}}]\n"
        "    guards: [limit: {effects: 1, per: 6h, of: target}, cooldown: {for: 1h}]\n"
        "    actions: [rollback]\n    verifications: [rollout_complete: {within: 10m}, alert_cleared]\n"
    )


def _reading() -> None:
    with tempfile.TemporaryDirectory() as name:
        _written(Path(name), _CHECKED, _by_name)
        began = time.process_time()
        files, mistakes = read([Path(name)])
        warnings = lint(files, date(2026, 11, 27))
        seconds = time.process_time() - began
    assert not mistakes
    assert not warnings
    print(f"rules: {_CHECKED} read and checked in {seconds:.2f} s of CPU (at most 3)")


def _matching(title: str, match: _Rulemaker) -> None:
    with tempfile.TemporaryDirectory() as name:
        _written(Path(name), _MATCHED, match)
        rulebook = load([Path(name)])
    matching = Matching(rulebook)
    known = list(_alerts(2_000, seed=1))
    naive = [[parse_matchers(line) for line in rule.match] for rule in rulebook.rules]
    for labels in known[:50]:
        assert [each.rule for each in matching.rules_for(labels)] == _naively(rulebook, naive, labels)
    unseen = _microseconds(matching, list(_alerts(2_000, seed=2)))
    seen = _microseconds(matching, list(_alerts(2_000, seed=2)))
    began = time.process_time()
    for labels in known[:20]:
        _naively(rulebook, naive, labels)
    slow = 1e6 * (time.process_time() - began) / 20
    print(
        f"rules: one alert against {_MATCHED}, {title}: {seen:.1f} us when its name was seen before, "
        f"{unseen:.1f} us when not (medians); asking every rule {slow:.0f} us"
    )


def _alerts(count: int, seed: int) -> Iterator[_Labels]:
    """A tenth of them match no rule by name."""
    chance = random.Random(seed)
    for _ in range(count):
        number = chance.randrange(_MATCHED * 11 // 10)
        yield {
            "alertname": f"Alert{number}",
            "severity": chance.choice(("critical", "page", "warning")),
            "namespace": f"ns-{number % 200}",
            "job": f"job-{chance.randrange(60)}",
            "pod": f"api-{chance.randrange(10**6)}",
        }


def _naively(rulebook: Rulebook, lines: Sequence[Sequence[Sequence[Matcher]]], labels: _Labels) -> list[str]:
    found = [
        rule
        for rule, alternatives in zip(rulebook.rules, lines, strict=True)
        if any(all(each.matches(labels) for each in line) for line in alternatives)
    ]
    return [each.rule for each in sorted(found, key=lambda rule: rule.priority)]


def _microseconds(matching: Matching, alerts: Sequence[_Labels]) -> float:
    taken = []
    for labels in alerts:
        began = time.perf_counter_ns()
        matching.rules_for(labels)
        taken.append(time.perf_counter_ns() - began)
    return statistics.median(taken) / 1e3
