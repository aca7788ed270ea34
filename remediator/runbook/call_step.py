"""Calls a step. Whatever it raises, and whatever it leaves unanswered, becomes an unknown with a sentence."""

import asyncio
import logging
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from remediator.domain.value import Value
from remediator.errors import RemediatorError

_Answer = TypeVar("_Answer")
_log = logging.getLogger(__name__)


class Unanswered(Value):
    """The step gave no answer; `why` is the sentence for people."""

    why: str


async def call_step(
    name: str,
    answer: Awaitable[_Answer],
    deadline: timedelta | None,
    *,
    goes_up: tuple[type[Exception], ...] = (),
) -> _Answer | Unanswered:
    """The step's answer, or why there is none. Never raises but what `goes_up`, and when cancelled.

    Without a deadline for what keeps its own: stages, and looks that others may not interrupt.
    """
    try:
        async with asyncio.timeout(None if deadline is None else deadline.total_seconds()):
            return await answer
    except goes_up:
        raise
    except TimeoutError:
        if deadline is None:
            return Unanswered(why=f"{name} gave no answer in time")
        return Unanswered(why=f"{name} gave no answer within {deadline.total_seconds():g} s")
    except RemediatorError as reason:
        return Unanswered(why=f"{name}: {reason.sentence}")
    except Exception as reason:  # noqa: BLE001
        # One of the two broad handlers of this program: a step with a bug must not stop the loop.
        _log.exception("step %s failed", name)
        return Unanswered(why=f"{name} failed with {type(reason).__name__}: {reason}")
