"""A file beside the daemon that stops everything by being there."""

import asyncio
import os
from pathlib import Path

from remediator.domain.switch import Switch
from remediator.errors import Retryable
from remediator.workloads.paused import NO_REASON

_MOST_BYTES = 1000


class PauseFile:
    """Says why in its first line. Without a path nothing is looked for."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    async def read(self) -> Switch | None:
        """The switch that the file is, or None when it is not there.

        Raises Retryable when that cannot be known: a directory that is missing or cannot be read may be a
        volume that did not come up. The file is read in a thread, since a network's may hang.
        """
        if self.path is None:
            return None
        try:
            return await asyncio.to_thread(_read, self.path)
        except OSError as reason:
            why = f"whether {self.path} is there cannot be known: {reason.strerror or reason}"
            raise Retryable(why) from reason


def _read(path: Path) -> Switch | None:
    try:
        with path.open("rb") as opened:
            first = opened.readline(_MOST_BYTES)
            whose = os.fstat(opened.fileno()).st_uid
    except FileNotFoundError:
        # Also what a link that leads nowhere answers, and a directory that is gone.
        if path.name in {each.name for each in path.parent.iterdir()}:
            raise
        return None
    why = first.decode("utf-8", "replace").strip().replace("\x00", "\ufffd")
    return Switch(
        source="file",
        scope="everything",
        value="",
        who=f"whoever wrote {path} (uid {whose})",
        why=why or NO_REASON,
    )
