"""The 40 places at which a crash test may end, stop or cut off this process. Off unless asked for; costs nothing then.

    REMEDIATOR_FAULT_POINT=J28:kill      kill -9 at J28
    REMEDIATOR_FAULT_POINT=J28:kill:3    when it is reached for the third time
    REMEDIATOR_FAULT_POINT=J28:stop      SIGSTOP: somebody else has to say SIGCONT
    REMEDIATOR_FAULT_POINT=J28:drop      every connection of this process is cut

It is read here, once, and not with the settings: it is no setting, and must not be found in any file.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

VARIABLE = "REMEDIATOR_FAULT_POINT"


class FaultPoint(Enum):
    """Named in the order of the way of an alert; the sentence says what has just become true."""

    J01 = "a request to store alerts has been let in, and its body has not been read"
    J02 = "the body has been read and understood"
    J03 = "the alerts are written, and the transaction is open"
    J04 = "the commit of the alerts has been sent, and its answer has not been read"
    J05 = "the alerts are committed, and nobody has been told"
    J06 = "the 2xx has been written to the socket"
    J07 = "stored notices have been taken to be read"
    J08 = "an episode has been matched and its target looked up"
    J09 = "a run has been made, and the transaction is open"
    J10 = "a run is about to be looked into"
    J11 = "one diagnostic has brought its evidence"
    J12 = "all diagnostics have, and it is not stored"
    J13 = "the evidence is committed"
    J14 = "the guards are about to be asked about the plan"
    J15 = "guards have looked at the cluster, and counts have not been asked"
    J16 = "the verdicts are committed"
    J17 = "a request for approval is written, and the transaction is open"
    J18 = "the request for approval is committed"
    J19 = "enough people were found to have agreed, and the run has not moved"
    J20 = "a run that may act has been leased under a new epoch"
    J21 = "a claim has been sent"
    J22 = "a claim has been applied, and nobody but the API server knows"
    J23 = "counts hold and an intent is written, and the transaction is open"
    J24 = "the commit of an intent has been sent, and its answer has not been read"
    J25 = "an intent is committed"
    J26 = "half of a change has been sent"
    J27 = "a change has been sent whole"
    J28 = "the answer to a change has begun to arrive, and has not been read"
    J29 = "the answer to a change has been read"
    J30 = "the commit of an outcome has been sent, and its answer has not been read"
    J31 = "a verification waits: that it does is committed"
    J32 = "verification has come to an end that is not stored"
    J33 = "an escalation and its notices are written, and the transaction is open"
    J34 = "a notice has been sent, and is not marked as delivered"
    J35 = "a run has ended and its lease is given up, and the transaction is open"
    J36 = "the end of a run is committed"
    J37 = "what is too old has been deleted, and the transaction is open"
    J38 = "the renewal of a lease is on its way"
    J39 = "a renewal has been granted, and we have not taken notice"
    J40 = "the loss of a lease has been noticed while its stage still works"


Reached = Callable[[FaultPoint], None]


def reach(point: FaultPoint) -> None:
    """This point has been reached."""
    if _reached is not None:
        _reached(point)


def reach_once_sent(point: FaultPoint) -> None:
    """The point is reached when what the very next await sends has left, and before an answer to it can be read."""
    if _reached is not None:
        asyncio.get_running_loop().call_soon(_reached, point)


def armed() -> bool:
    """Whether any point is looked for."""
    return _reached is not None


def arm(reached: Reached | None) -> None:
    """Call this at every point from now on, instead of what the environment asked for."""
    global _reached  # noqa: PLW0603 -- one place for the whole process, looked at by every call
    _reached = reached


@dataclass
class Fault:
    """Does one thing when a point is reached for the `countdown`-th time."""

    point: FaultPoint
    action: Callable[[], None]
    countdown: int = 1

    def __call__(self, point: FaultPoint) -> None:
        if point is self.point:
            self.countdown -= 1
            if self.countdown == 0:
                self.action()

    @classmethod
    def of(cls, text: str) -> "Fault":
        """As the environment says it. Raises ValueError with what it should be."""
        name, _, rest = text.partition(":")
        action, _, times = rest.partition(":")
        if name not in FaultPoint.__members__ or action not in _ACTIONS or not (times or "1").isdecimal():
            raise ValueError(f"{VARIABLE} is POINT:kill, stop or drop, perhaps with :TIMES, not {text!r}")
        return cls(FaultPoint[name], _ACTIONS[action], int(times or "1"))


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _drop() -> None:
    """Cut every connection; what listens goes on listening."""
    for entry in Path("/proc/self/fd").iterdir():
        try:
            with socket.socket(fileno=os.dup(int(entry.name))) as connection:
                connection.getpeername()
                connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue  # no socket, not connected, or gone meanwhile


_ACTIONS = {"kill": _kill, "stop": _stop, "drop": _drop}
_reached: Reached | None = Fault.of(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None
