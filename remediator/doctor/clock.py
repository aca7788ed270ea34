"""Whether our clock, the API server's and the database's agree.

Guards compare what Kubernetes stamped, what Prometheus stamped and what we read from our own clock: a rollout
must have begun before the alert, Watchdog must be fresh. Leases go by the database's clock alone.
"""

from remediator.doctor.finding import Finding, failed, ok, unknown, warning
from remediator.doctor.systems import Systems
from remediator.errors import RemediatorError
from remediator.store import server
from remediator.store.database import DATABASE_ERRORS

_WARN_SECONDS = 3.0
_FAIL_SECONDS = 30.0
_DO = "let NTP set the clocks of all of them: decisions compare their times"


async def check_clock(systems: Systems) -> list[Finding]:
    """One finding for each of the two."""
    return [await _kubernetes(systems), await _database(systems)]


async def _kubernetes(systems: Systems) -> Finding:
    try:
        behind = (await (await systems.about_kubernetes()).server()).behind
    except RemediatorError as reason:
        return unknown(f"the API server's clock was not read: {reason.sentence}", "see the check kubernetes")
    if behind is None:
        return unknown("the API server does not tell the time", "compare the clocks yourself")
    return _judged("the API server's", behind)


async def _database(systems: Systems) -> Finding:
    try:
        async with (await systems.database()).connection() as connection:
            told = await server.now(connection)
    except RemediatorError as reason:
        return unknown(f"the database's clock was not read: {reason.sentence}", "see the check database")
    except DATABASE_ERRORS as reason:
        return unknown(f"the database's clock was not read: {reason}", "see the check database")
    return _judged("the database's", (systems.clock.now() - told).total_seconds())


def _judged(whose: str, behind: float) -> Finding:
    apart = abs(behind)
    if apart <= _WARN_SECONDS:
        return ok(f"{whose} clock agrees with ours within {_WARN_SECONDS:g} s")
    saw = f"{whose} clock is {apart:.0f} s {'behind' if behind > 0 else 'ahead of'} ours"
    return failed(saw, _DO) if apart > _FAIL_SECONDS else warning(saw, _DO)
