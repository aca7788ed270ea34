"""An event loop in which every deadline comes sooner, for requests that are never answered."""

import asyncio
import selectors
from collections.abc import Callable

_PACE = 5.0


class _Sooner(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> "list[tuple[selectors.SelectorKey, int]]":
        return super().select(timeout / _PACE if timeout and timeout > 0 else timeout)


class HurriedLoop(asyncio.SelectorEventLoop):
    """Its seconds are a fifth of a second: nobody waits for ten of them, and nothing of ours is replaced."""

    def __init__(self) -> None:
        super().__init__(_Sooner())

    def time(self) -> float:
        """The loop's clock, which deadlines are measured by and nothing else."""
        return super().time() * _PACE


def loop_factory(*, hurried: bool) -> Callable[[], asyncio.AbstractEventLoop]:
    """For asyncio.Runner."""
    return HurriedLoop if hurried else asyncio.new_event_loop
