"""How urgent an alert is, from P0 to P3, whatever words its labels use. Pure.

P0 is answered within 5 minutes (a service is down, data is lost, somebody broke in), P1 within 15 (many requests
fail, users notice), P2 within the hour, P3 within the day.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from remediator.domain.matcher import parse_matchers

Severity: TypeAlias = Literal["P0", "P1", "P2", "P3"]

UNTOLD: Severity = "P2"
"""Of an alert whose labels say nothing of it: somebody has to look, and nobody said that it is urgent."""


class SeverityLine(NamedTuple):
    """Alerts that one line of matchers matches, and how urgent they are."""

    match: str
    severity: Severity


USUAL = (
    SeverityLine('{severity=~"(?i)p0|sev-?0|emergency|disaster|fatal"}', "P0"),
    SeverityLine('{severity=~"(?i)p1|sev-?1|critical|crit|page|high|error"}', "P1"),
    SeverityLine('{severity=~"(?i)p2|sev-?2|warning|warn|ticket|medium|average"}', "P2"),
    SeverityLine('{severity=~"(?i)p3|sev-?3|info|information|low|none|debug"}', "P3"),
    # Sloth and Grafana SLO say it in labels of their own; `severity` beside them is the user's, and goes first.
    SeverityLine('{sloth_severity="page"}', "P1"),
    SeverityLine('{sloth_severity="ticket"}', "P2"),
    SeverityLine('{grafana_slo_severity="critical"}', "P1"),
    SeverityLine('{grafana_slo_severity="warning"}', "P2"),
)
"""What the words mean that kube-prometheus, Sloth, Pyrra, Grafana and Zabbix put into labels."""


def severity_of(labels: Mapping[str, str], lines: Sequence[SeverityLine] = ()) -> Severity:
    """The first of `lines`, and then of the usual ones, that matches decides."""
    for line in (*lines, *USUAL):
        if all(each.matches(labels) for each in parse_matchers(line.match)):
            return line.severity
    return UNTOLD
