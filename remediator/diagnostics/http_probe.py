"""How an address answers: status, and where the time goes."""

import statistics
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import Field

from remediator.clients.probe import Address, why_not_allowed
from remediator.clients.timed_probe import Timed, timed_get
from remediator.domain.answers import Evidence
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import Diagnostic

_PARTS = ("dns", "connect", "tls", "first_byte", "total")
_ALL_SECONDS = 13.0


class HttpProbe(Diagnostic):
    """`http_probe: {url: 'http://payments.shop.svc:8080/health'}`: several GETs, one after the other.

    Status, time for name, connection, TLS, first byte and all of it, the beginning of the body, and until when
    the certificate is good. The host has to stand in `http_allow` of the settings. Redirects are not followed.
    """

    deadline: ClassVar[timedelta] = timedelta(seconds=15)

    url: Address
    """What is asked. Nothing is filled in."""
    samples: int = Field(default=3, strict=True, ge=1, le=10)
    """So many GETs."""
    title: str | None = None
    """What people read above the answer; the address itself where there is none."""

    async def look(self, run: RunView, kit: Kit) -> Evidence:
        refused = why_not_allowed(self.url, kit.http_allow)
        if refused is not None:
            return Evidence(step=self.key(), summary=refused, failed=True)
        # One that does not answer is asked fewer times, so that all of it stays within the deadline.
        each_may_take = min(5.0, _ALL_SECONDS / self.samples)
        timed = [await timed_get(self.url, each_may_take, kit.clock) for _ in range(self.samples)]
        return Evidence(
            step=self.key(),
            summary=f"{self.title or self.url}: {_said(timed, kit.clock.now())}",
            details={
                "url": self.url,
                "samples": [each.model_dump(mode="json", exclude_none=True) for each in timed],
                "median_seconds": _medians(timed),
            },
        )


def _medians(timed: list[Timed]) -> dict[str, float]:
    found = {name: [value for each in timed if (value := getattr(each, name)) is not None] for name in _PARTS}
    return {name: round(statistics.median(values), 6) for name, values in found.items() if values}


def _said(timed: list[Timed], now: datetime) -> str:
    statuses = sorted({each.status for each in timed if each.status is not None})
    errors = [each.error for each in timed if each.error is not None]
    parts = []
    if statuses:
        parts.append(f"answered {', '.join(map(str, statuses))}")
    if errors:
        parts.append(f"{len(errors)} of {len(timed)} had no answer ({errors[-1]})")
    medians = _medians(timed)
    if "total" in medians:
        told = ", ".join(f"{name.replace('_', ' ')} {1000 * value:.0f} ms" for name, value in medians.items())
        parts.append(f"medians: {told}")
    until = next((each.certificate_until for each in timed if each.certificate_until is not None), None)
    if until is not None:
        days = (until - now).total_seconds() / 86400
        parts.append(
            f"certificate {'ends in' if days > 0 else 'ended'} {abs(days):.1f} days{'' if days > 0 else ' ago'}"
        )
    return "; ".join(parts)
