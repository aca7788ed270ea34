"""The composition root of a process of role intake: it stores alerts, and can do nothing else.

It has no Kubernetes token, reads no rules, and its database user may only write what it stores.
"""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from remediator.people.web_config import WebConfig
from remediator.settings.load import Settings
from remediator.settings.process_role import ROLES
from remediator.store.migrate import open_migrated
from remediator.supervise import stopped_by_signal
from remediator.telemetry import Metrics
from remediator.web.collaborators import OfIntake
from remediator.web.listen import listening
from remediator.web.server import make_application

_log = logging.getLogger(__name__)


async def serve_intake(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Raises Permanent when it cannot start."""
    stop, loop = stopped_by_signal(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, _log.info, "there are no rules here that could be reloaded")
    async with running_intake(settings) as url:
        _log.info("listening on %s", url)
        await stop.wait()
        _log.info("stopping: no new alerts are taken; what is under way is finished")


@asynccontextmanager
async def running_intake(settings: Settings) -> AsyncIterator[str]:
    """Listen, for the length of the block; the URL alerts can be sent to. Raises Permanent when it cannot start."""
    database = await open_migrated(settings.database_url, settings.database)
    try:
        web_config = WebConfig.of(settings)
        collaborators = OfIntake(
            settings=settings,
            database=database,
            metrics=Metrics("intake"),
            of_another_cluster=_cannot_be_told,
            why_not_act=_never_acts,
            web_config=web_config,
            stored=_nobody_waits_here,
        )
        application = make_application(collaborators, ROLES["intake"].outside)
        async with listening(application, settings.listen_address, web_config) as url:
            yield url
    finally:
        await database.close()


async def _cannot_be_told() -> str | None:
    """Only the API server says which cluster this is. The executor reads nothing of another one's database."""
    return None


async def _never_acts() -> str | None:
    return "this process has the role intake: it stores alerts, and the executor acts"


def _nobody_waits_here() -> None:
    """The executor is another process: its reader looks once in each engine.tick."""
