"""Faults on demand: what a test can make go wrong with the next request that fits."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from remediator.sandbox.kubernetes.answers import Answer, Stream
from remediator.sandbox.kubernetes.request import Call
from remediator.sandbox.kubernetes.status import ApiError, Json


@dataclass(frozen=True)
class Dropped:
    """The connection is closed without an answer."""


@dataclass(frozen=True)
class Half:
    """Half of this answer's body is sent, then the connection is closed."""

    answer: Answer | Stream


Reply = Answer | Stream | Dropped | Half
Apply = Callable[[], Answer | Stream]


@dataclass(frozen=True)
class Exchange:
    """One request under a fault.

    apply: do what the request asks and return the answer.
    ask: answer another request of the same client instead.
    after: apply in so many seconds of the emulator's clock; cancelled with the waiting request.
    schedule: the same, whatever becomes of the request.
    released: set by `Fault.release`.
    """

    call: Call
    apply: Apply
    ask: Callable[[Call], Answer | Stream]
    after: Callable[[float, Apply], Awaitable[Answer | Stream]]
    schedule: Callable[[float, Apply], None]
    released: asyncio.Event


class Action(ABC):
    """What happens to a request instead of the usual."""

    @abstractmethod
    async def play(self, exchange: Exchange) -> Reply:
        """Do it. Cancelled when the client closes its connection."""


@dataclass(frozen=True)
class AnswerStatus(Action):
    """Answer this status without applying; `body` (JSON or text) replaces the usual Status object."""

    code: int
    reason: str = ""
    message: str = "a fault was injected"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json | str | None = None

    async def play(self, exchange: Exchange) -> Reply:
        status = ApiError(self.code, self.message, self.reason).body()
        return Answer(self.code, status if self.body is None else self.body, dict(self.headers))


@dataclass(frozen=True)
class Hold(Action):
    """Wait for `release`, then go on as usual. Not applied if the client closes its connection before."""

    async def play(self, exchange: Exchange) -> Reply:
        await exchange.released.wait()
        return exchange.apply()


@dataclass(frozen=True)
class HangBeforeApplying(Action):
    """Never apply and never answer; `release` drops the connection."""

    async def play(self, exchange: Exchange) -> Reply:
        await exchange.released.wait()
        return Dropped()


@dataclass(frozen=True)
class ApplyThenHang(Action):
    """Apply at once, answer on `release`."""

    async def play(self, exchange: Exchange) -> Reply:
        answer = exchange.apply()
        await exchange.released.wait()
        return answer


@dataclass(frozen=True)
class DropBeforeApplying(Action):
    """Close the connection; nothing is applied."""

    async def play(self, exchange: Exchange) -> Reply:
        return Dropped()


@dataclass(frozen=True)
class ApplyThenDrop(Action):
    """Apply, then close the connection without an answer."""

    async def play(self, exchange: Exchange) -> Reply:
        exchange.apply()
        return Dropped()


@dataclass(frozen=True)
class ApplyThenFail(Action):
    """Apply, then answer as if it had failed."""

    code: int = 500
    reason: str = "InternalError"
    message: str = "Internal error occurred: a fault was injected"

    async def play(self, exchange: Exchange) -> Reply:
        exchange.apply()
        return Answer(self.code, ApiError(self.code, self.message, self.reason).body())


@dataclass(frozen=True)
class Delay(Action):
    """Apply and answer in `seconds` of the emulator's clock, if the client is still there."""

    seconds: float

    async def play(self, exchange: Exchange) -> Reply:
        return await exchange.after(self.seconds, exchange.apply)


@dataclass(frozen=True)
class PretendSuccess(Action):
    """Answer 200 with the object as it is, without applying; a POST is answered as a dry run would be."""

    async def play(self, exchange: Exchange) -> Reply:
        call = exchange.call
        if call.method == "POST":
            dry = {**call.query, "dryRun": "All"}
            return exchange.ask(Call("POST", call.path, dry, call.headers, call.body))
        return exchange.ask(Call("GET", call.path, {}, call.headers))


@dataclass(frozen=True)
class HalfBody(Action):
    """Apply, send half of the answer (of a watch: half of its first event), then close the connection."""

    async def play(self, exchange: Exchange) -> Reply:
        return Half(exchange.apply())


@dataclass(frozen=True)
class ApplyLate(Action):
    """The write lands `seconds` later by the emulator's clock, whatever the client does meanwhile.

    The client's connection is dropped at once, or, with `hang`, never answered.
    """

    seconds: float
    hang: bool = False

    async def play(self, exchange: Exchange) -> Reply:
        exchange.schedule(self.seconds, exchange.apply)
        if self.hang:
            await exchange.released.wait()
        return Dropped()


def _any_request(_call: Call, _user: str) -> bool:
    return True


@dataclass
class Fault:
    """A trap for requests of this method ("*": any) whose path the regular expression `path` is found in.

    `when` narrows it down by the call and its user. It springs `times` times, for ever if None. `hits` counts;
    a hit of an action that applies first is counted when the write is there.
    """

    method: str
    path: str
    action: Action
    when: Callable[[Call, str], bool] = _any_request
    times: int | None = 1
    hits: int = 0
    _released: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    _hit: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def fits(self, call: Call, user: str) -> bool:
        """Whether it would spring for this request."""
        if self.times is not None and self.hits >= self.times:
            return False
        if self.method not in ("*", call.method) or not re.search(self.path, call.path):
            return False
        return self.when(call, user)

    async def play(self, exchange: Exchange) -> Reply:
        """Spring. There is no await between the count and an action that applies first."""
        self.hits += 1
        self._hit.set()
        return await self.action.play(exchange)

    async def reached(self, hits: int = 1, seconds: float = 30.0) -> None:
        """Wait until it has sprung `hits` times.

        Raises:
            TimeoutError: it did not within `seconds` of real time.
        """
        async with asyncio.timeout(seconds):
            while self.hits < hits:
                self._hit.clear()
                await self._hit.wait()

    @property
    def released(self) -> asyncio.Event:
        """What hanging requests wait for."""
        return self._released

    def release(self) -> None:
        """End all its hanging requests, and let later ones hang no more."""
        self._released.set()


class Faults:
    """The traps that are laid; of several that fit a request the first laid springs."""

    def __init__(self) -> None:
        self._laid: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Lay a trap."""
        self._laid.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Take a trap away and end its hanging requests."""
        self._laid.remove(fault)
        fault.release()

    def clear(self) -> None:
        """Take all away."""
        for fault in list(self._laid):
            self.remove(fault)

    def for_request(self, call: Call, user: str) -> Fault | None:
        """The trap this request springs."""
        return next((fault for fault in self._laid if fault.fits(call, user)), None)
