"""Do the alerts that a rule names carry the labels it asks them for? Told by those that Prometheus has seen.

A matcher for a label that an alert never has is the quietest mistake there is: the rule just never matches.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from remediator.doctor.finding import Finding, ok, some, unknown, warning
from remediator.doctor.systems import Systems
from remediator.domain.matcher import Matcher, parse_matchers
from remediator.rulebook.lines import alert_names
from remediator.rulebook.problem import near_miss

_LOOKED_BACK = timedelta(days=30)

_Labels = Mapping[str, str]


async def check_alert_labels(systems: Systems) -> list[Finding]:
    """For each line that names its alerts: does any of those seen have what else it asks for?"""
    seen = await systems.prometheus.alerts_seen(systems.clock.now() - _LOOKED_BACK)
    findings: list[Finding] = []
    never: set[str] = set()
    for rule in (await systems.rulebook()).rules:
        for line in map(parse_matchers, rule.match):
            names = alert_names(line)
            fired = [each for each in seen if each.get("alertname") in names]
            if fired:
                findings += [_warned(rule.rule, names, each) for each in _lacking(line, fired)]
            else:
                never |= names
    if never:
        saw = f"{some(sorted(never))} did not fire in {_LOOKED_BACK.days} days: which labels they carry is not known"
        findings.append(unknown(saw, "hold the matchers against the alerting rules yourself"))
    return findings or [ok("every alert that a rule names was seen with the labels it asks for")]


def _lacking(line: Sequence[Matcher], fired: Sequence[_Labels]) -> Iterator[str]:
    """What the line asks for and none of the alerts has; nothing where it matches one of them."""
    if any(all(each.matches(labels) for each in line) for labels in fired):
        return
    lacking = [each for each in line if not any(each.matches(labels) for labels in fired)]
    if not lacking:
        yield f"{', '.join(map(str, line))}: each was seen, but never all of them on one alert"
    for matcher in lacking:
        values = sorted({labels[matcher.name] for labels in fired if matcher.name in labels})
        if values:
            yield f"{matcher}, but they had {some([repr(each) for each in values])}"
        else:
            known = frozenset[str]().union(*fired)
            hint = near_miss(matcher.name, sorted(known)) or f"they have {some(sorted(known), 8)}"
            yield f"{matcher}, a label that none of them had: {hint}"


def _warned(rule: str, names: frozenset[str], lacking: str) -> Finding:
    saw = f"rule {rule} asks {some(sorted(names))} for {lacking}"
    return warning(saw, "mend the matcher, or let the alerting rule add the label: else it never matches")
