"""What a month of 100,000 alerts costs to go through, beside the naive way: every rule asked for every alert."""

import random
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from remediator.backtest.past import Past, PastAlert, PastRollout
from remediator.backtest.simulate import simulate
from remediator.backtest.terms import Terms
from remediator.domain.matcher import parse_matchers
from remediator.rulebook.load import Rulebook, load
from remediator.rulebook.match import Matching
from remediator.settings.load import load_settings

_ALERTS, _RULES, _WORKLOADS = 100_000, 500, 400
_BEGAN = datetime(2026, 10, 1, tzinfo=UTC)
_MONTH = timedelta(days=30)
_ASKED_NAIVELY = 200


def main() -> None:
    """Print the figures; asserts nothing but that both ways match the same rules."""
    rulebook = _rulebook()
    past = _past()
    began = time.process_time()
    result = simulate(past, rulebook, Terms.of(load_settings(None, {}, {})))
    seconds = time.process_time() - began
    matching = Matching(rulebook)
    lines = [[parse_matchers(line) for line in rule.match] for rule in rulebook.rules]
    some = past.alerts[:: len(past.alerts) // _ASKED_NAIVELY]
    began = time.process_time()
    for alert in some:
        naive = {
            rule.rule
            for rule, alternatives in zip(rulebook.rules, lines, strict=True)
            if any(all(each.matches(alert.labels) for each in line) for line in alternatives)
        }
        assert naive == {each.rule for each in matching.rules_for(alert.labels)}
    slow = (time.process_time() - began) / len(some) * _ALERTS
    acts = sum(each.acts for each in result.decisions)
    print(
        f"backtest: {_ALERTS} alerts of a month by {_RULES} rules in {seconds:.1f} s of CPU (at most 60), "
        f"{len(result.decisions)} decisions of which {acts} act; asking every rule for every alert takes "
        f"{slow:.0f} s for the matching alone"
    )


def _rulebook() -> Rulebook:
    """A third of the rules act, each with guards that count; the rest watch."""
    entries = "".join(
        f"  - rule: rule-{number}\n    mode: {'act' if number % 3 == 0 else 'shadow'}\n"
        f'    match: [\'{{alertname="Alert{number}", severity=~"critical|page"}}\']\n'
        f"    priority: {number % 7}\n    wait: {number % 4}m\n"
        "    guards: [limit: {effects: 1, per: 6h, of: target}, cooldown: {for: 1h}, max_alert_age: 2h]\n"
        f"    actions: [{'rollback' if number % 2 else 'restart'}]\n"
        "    verifications: [rollout_complete: {within: 10m}, alert_cleared]\n"
        for number in range(_RULES)
    )
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "rules.yaml"
        file.write_text(f"rules:\n{entries}")
        return load([file])


def _past() -> Past:
    """Alerts at any time, of a minute to some hours; each workload rolled out every other day."""
    chance = random.Random(1)
    alerts = []
    for number in range(_ALERTS):
        began = _BEGAN + _MONTH * chance.random()
        lasts = timedelta(minutes=chance.choice((1, 5, 20, 60, 300)))
        ends = began + lasts
        alerts.append(
            PastAlert(
                _labels(chance, number), began, began, ends if ends < _BEGAN + _MONTH else None, None, None
            )
        )
    rollouts = [
        PastRollout(
            target=f"deployment/ns-{workload % 40}/app-{workload}",
            began_at=_BEGAN + timedelta(days=day, hours=workload % 24),
            revision=f"v{day}",
            title=f"app:v{day}",
            began_seen=day > 0,
            ended_at=_BEGAN + timedelta(days=day + 2, hours=workload % 24) if day < 28 else None,
            available_seconds=86400.0,
        )
        for workload in range(_WORKLOADS)
        for day in range(0, 30, 2)
    ]
    return Past.of(_BEGAN, _BEGAN + _MONTH, alerts, rollouts)


def _labels(chance: random.Random, number: int) -> Mapping[str, str]:
    workload = chance.randrange(_WORKLOADS)
    return {
        "alertname": f"Alert{chance.randrange(_RULES * 11 // 10)}",
        "severity": chance.choice(("critical", "page", "warning")),
        "namespace": f"ns-{workload % 40}",
        "deployment": f"app-{workload}",
        "pod": f"app-{workload}-{number}",
    }


if __name__ == "__main__":
    main()
