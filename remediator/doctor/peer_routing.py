"""What each Alertmanager's configuration is asked, peer by peer."""

from collections.abc import Callable, Iterable

from remediator.clients.http import place
from remediator.doctor.finding import Finding, unknown
from remediator.doctor.routing import Routing, read_routing
from remediator.doctor.systems import Systems
from remediator.errors import Permanent, RemediatorError


async def of_each_peer(
    systems: Systems, told: Callable[[Routing], Iterable[Finding]], *, tell_unknown: bool = True
) -> list[Finding]:
    """What `told` says of each peer's routes, under its address; and which peers do not tell theirs, if asked to."""
    findings: list[Finding] = []
    for url, status in (await systems.peers()).items():
        if isinstance(status, RemediatorError):
            unread = unknown("it did not tell its configuration", "see alertmanagers")
        else:
            try:
                routing = read_routing(status.config)
            except Permanent as reason:
                unread = unknown(reason.sentence, "look at it with amtool config routes")
            else:
                findings += [_at(url, each) for each in told(routing)]
                continue
        findings += [_at(url, unread)] if tell_unknown else []
    return findings


def _at(url: str, finding: Finding) -> Finding:
    return finding.model_copy(update={"saw": f"{place(url)}: {finding.saw}"})
