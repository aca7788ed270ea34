"""Whether this daemon lives, may take alerts, and may act."""

import asyncio

from aiohttp import web

from remediator.errors import Permanent
from remediator.store import migrate
from remediator.store.database import DATABASE_ERRORS
from remediator.telemetry import CONTENT_TYPE
from remediator.web.collaborators import OfIntake
from remediator.web.responses import document, problem, try_again

_DATABASE_SECONDS = 1.0
_ASK_AGAIN_SECONDS = 5.0


class Health:
    """Open to everybody: probes carry no credentials, and nothing here is secret."""

    def __init__(self, collaborators: OfIntake) -> None:
        self._collaborators = collaborators

    def routes(self) -> list[web.RouteDef]:
        """What this answers."""
        return [
            web.get("/-/healthy", self.healthy),
            web.get("/-/ready", self.ready),
            web.get("/-/ready/act", self.ready_to_act),
            web.get("/metrics", self.metrics),
        ]

    async def healthy(self, request: web.Request) -> web.Response:
        """200 while the process can answer at all."""
        return document({"status": "alive"})

    async def ready(self, request: web.Request) -> web.Response:
        """200 when alerts can be stored; they need nothing but the database."""
        why = await self._why_not_store()
        return document({"status": "ready"}) if why is None else try_again(why, _ASK_AGAIN_SECONDS)

    async def ready_to_act(self, request: web.Request) -> web.Response:
        """200 when this daemon may change something."""
        why = await self._why_not_store()
        if why is not None:
            return try_again(why, _ASK_AGAIN_SECONDS)
        try:
            async with asyncio.timeout(_DATABASE_SECONDS):
                forbidden = await self._collaborators.why_not_act()
        except DATABASE_ERRORS as error:
            forbidden = f"the database does not answer: {str(error) or type(error).__name__}"
        if forbidden is not None:
            return problem(
                503, forbidden, "Alerts are taken all the same; docs/operating.md says what to do."
            )
        return document({"status": "ready to act"})

    async def metrics(self, request: web.Request) -> web.Response:
        """For Prometheus."""
        return web.Response(
            body=self._collaborators.metrics.exposition(), headers={"Content-Type": CONTENT_TYPE}
        )

    async def _why_not_store(self) -> str | None:
        try:
            async with asyncio.timeout(_DATABASE_SECONDS):
                async with self._collaborators.database.connection() as connection:
                    await connection.execute("select 1")
                elsewhere = await self._collaborators.of_another_cluster()
                missing = await migrate.pending(self._collaborators.settings.database_url)
        except Permanent as reason:
            return reason.sentence
        except DATABASE_ERRORS as error:
            return f"the database does not answer: {str(error) or type(error).__name__}"
        if elsewhere is not None:
            return elsewhere
        if missing:
            return f"the database lacks {', '.join(missing)}: run `remediator migrate`"
        return None
