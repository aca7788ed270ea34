"""What PostgreSQL answered that no fault of a story explains: a mistake, which may not pass for bad luck.

A loop takes the next unit of work whatever the last one failed with, so that a mistake would show as mere slowness.
"""

from collections.abc import Iterable, Iterator

import asyncpg

_OURS = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError, asyncpg.SyntaxOrAccessError)
"""Classes 23, 22 and 42: what was asked is wrong, however well or ill the database is."""
_AWAY = (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.LockNotAvailableError)
"""Classes 08 and 57: the server is not there, or was told to end something. And a row was held for longer than
somebody waits, as it is on a machine that does much else."""


def mistakes(failures: Iterable[BaseException]) -> list[str]:
    """Those of the failures that are mistakes even while a database breaks."""
    return list(_told(each for each in failures if isinstance(each, _OURS)))


def answers_without_cause(failures: Iterable[BaseException]) -> list[str]:
    """Those of the failures that are answers of a database of which nothing was broken."""
    return list(
        _told(
            each
            for each in failures
            if isinstance(each, asyncpg.PostgresError) and not isinstance(each, _AWAY)
        )
    )


def _told(failures: Iterable[BaseException]) -> Iterator[str]:
    for each in failures:
        yield f"a unit of work failed with {type(each).__name__}: {each}"
