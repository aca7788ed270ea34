"""The three doors to the cluster, and the Events that tell of what was done, as one object for the stages."""

from remediator.clients.kube_read import KubeReader
from remediator.clients.kube_write import KubeWriter
from remediator.domain.answers import Refusal
from remediator.domain.change import Change
from remediator.domain.notice import Notice
from remediator.domain.target import Target
from remediator.domain.value import JsonObject
from remediator.effects.announce import announce
from remediator.effects.apply import Sent, apply
from remediator.effects.claim import claim
from remediator.effects.read_back import read_back
from remediator.effects.recovery import Seen, SeenPod
from remediator.effects.rehearse import rehearse
from remediator.effects.undone import undone
from remediator.effects.window import Window


class Effects:
    """Holds the writing client; nobody else has it."""

    def __init__(self, reader: KubeReader, writer: KubeWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def claim(
        self, target: Target, uid: str, epoch: int, deadline: float, window: Window
    ) -> JsonObject | Refusal:
        return await claim(self._reader, self._writer, target, uid, epoch, deadline, window)

    async def apply(self, change: Change, marker: str, epoch: int, deadline: float, window: Window) -> Sent:
        return await apply(self._reader, self._writer, change, marker, epoch, deadline, window)

    async def read_back(self, change: Change) -> Seen | SeenPod | None:
        return await read_back(self._reader, change)

    async def rehearse(self, change: Change, marker: str, epoch: int, deadline: float) -> Refusal | None:
        return await rehearse(self._writer, change, marker, epoch, deadline)

    async def undone(self, change: Change) -> str | None:
        return await undone(self._reader, change)

    async def announce(self, notice: Notice) -> None:
        await announce(self._reader, self._writer, notice)
