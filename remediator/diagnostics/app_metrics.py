"""What a service says of itself on its metrics page."""

import asyncio
from datetime import timedelta
from typing import ClassVar, Self

from pydantic import Field, model_validator

from remediator.clients.http import place
from remediator.clients.probe import Address, probe, why_not_allowed
from remediator.domain.answers import Evidence
from remediator.domain.duration import Duration
from remediator.domain.exposition import Reading, differences, read
from remediator.domain.pattern import search
from remediator.domain.run_view import RunView
from remediator.errors import Permanent
from remediator.kit import Kit
from remediator.step import Diagnostic

_MOST_SAMPLES = 2000
_MOST_SHOWN = 100
_IN_SUMMARY = 3
_SECONDS = 4.0


class AppMetrics(Diagnostic):
    """`app_metrics: {url: 'http://api.shop.svc:8080/metrics', families: 'error|exception'}`: two scrapes.

    The values of the chosen families, and how fast their counters grow from the first scrape to the second. The
    host has to stand in `http_allow` of the settings.
    """

    deadline: ClassVar[timedelta] = timedelta(seconds=15)

    url: Address
    """A page in Prometheus' text format. Nothing is filled in."""
    families: str
    """An RE2 pattern; only metrics in whose name it is found are read."""
    between: Duration = Field(default=timedelta(seconds=5), ge=timedelta(0), le=timedelta(seconds=6))
    """The time from the first scrape to the second; 0s for one scrape only."""

    @model_validator(mode="after")
    def _readable_pattern(self) -> Self:
        search(self.families, "")
        return self

    async def look(self, run: RunView, kit: Kit) -> Evidence:
        refused = why_not_allowed(self.url, kit.http_allow)
        if refused is not None:
            return Evidence(step=self.key(), summary=refused, failed=True)
        began = kit.clock.monotonic()
        first = await self._scraped(kit)
        rates: dict[str, float] = {}
        second = first
        if self.between:
            await asyncio.sleep(self.between.total_seconds())
            second = await self._scraped(kit)
            rates = differences(first, second, kit.clock.monotonic() - began)
        return self._evidence(second, rates)

    def _evidence(self, seen: Reading, rates: dict[str, float]) -> Evidence:
        growing = sorted(((rate, name) for name, rate in rates.items() if rate > 0), reverse=True)
        said = ", ".join(f"{name} {rate:.3g}/s" for rate, name in growing[:_IN_SUMMARY])
        if not said:
            said = "no counter grew" if self.between else "one scrape"
        values = dict(sorted(seen.values.items())[:_MOST_SHOWN])
        return Evidence(
            step=self.key(),
            summary=f"{len(seen.values)} samples of {self.families}: {said}",
            details={
                "url": self.url,
                "values": {name: str(value) for name, value in values.items()},
                "per_second": {name: round(rate, 6) for rate, name in growing[:_MOST_SHOWN]},
                "left_out": max(0, len(seen.values) - _MOST_SHOWN) + seen.left_out,
            },
        )

    async def _scraped(self, kit: Kit) -> Reading:
        """Raises Permanent for what is not such a page, and else as the client does."""
        answer = await probe(kit.http, self.url, _SECONDS, {"Accept": "text/plain;version=0.0.4"})
        if answer.status != 200:
            raise Permanent(f"{place(self.url)} answered {answer.status}: {answer.excerpt}")
        try:
            return await asyncio.to_thread(self._read, answer.body)
        except ValueError as reason:
            raise Permanent(f"{place(self.url)} does not speak Prometheus' text format: {reason}") from reason

    def _read(self, body: bytes) -> Reading:
        """Megabytes of it take a second, in which nothing else would be done on the loop."""
        return read(body.decode("utf-8", "replace"), self.families, _MOST_SAMPLES)
