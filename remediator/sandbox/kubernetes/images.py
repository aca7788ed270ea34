"""How containers behave, by their image: good, never ready, crashing, or impossible to pull."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum


class Mode(Enum):
    """The four ways a container can go."""

    GOOD = "starts and becomes ready"
    NEVER_READY = "runs, and its readiness probe fails for ever"
    CRASH_LOOPING = "starts, runs a moment and exits, again and again"
    UNPULLABLE = "its image cannot be pulled"


@dataclass(frozen=True)
class ImageBehaviour:
    """What a container of one image does.

    As on a real node, a container without a readinessProbe is ready as soon as it runs, whatever its mode:
    `ready_after` (seconds from start) and NEVER_READY count only with a probe. `run_seconds`, `exit_code`
    and `exit_reason` are for CRASH_LOOPING. `log` are the lines each instance writes when it starts, `{time}` and
    `{pod}` filled in; with `tick_seconds` it goes on with a numbered line every so often. `commands` is what a
    container does instead whose pod gives it a command, by the last word of that. `present` is whether the node
    has the image before its first container asks for it, and so need not pull it.
    """

    mode: Mode = Mode.GOOD
    ready_after: float = 0.0
    run_seconds: float = 1.0
    exit_code: int = 1
    exit_reason: str = "Error"
    log: Sequence[str] = ()
    present: bool = True
    tick_seconds: float = 0.0
    commands: Mapping[str, "ImageBehaviour"] = field(default_factory=dict)

    @classmethod
    def good(cls, ready_after: float = 0.0, log: Sequence[str] = ()) -> "ImageBehaviour":
        """Starts, and is ready `ready_after` seconds later."""
        return cls(Mode.GOOD, ready_after=ready_after, log=log)

    @classmethod
    def never_ready(cls, log: Sequence[str] = ()) -> "ImageBehaviour":
        """Runs, but its readiness probe never passes."""
        return cls(Mode.NEVER_READY, log=log)

    @classmethod
    def crash_looping(
        cls, exit_code: int = 1, run_seconds: float = 1.0, log: Sequence[str] = ()
    ) -> "ImageBehaviour":
        """Exits with `exit_code` after `run_seconds`, every time."""
        return cls(Mode.CRASH_LOOPING, run_seconds=run_seconds, exit_code=exit_code, log=log)

    @classmethod
    def out_of_memory(cls, run_seconds: float = 1.0, log: Sequence[str] = ()) -> "ImageBehaviour":
        """Is killed for its memory after `run_seconds`, every time."""
        return cls(
            Mode.CRASH_LOOPING, run_seconds=run_seconds, exit_code=137, exit_reason="OOMKilled", log=log
        )

    @classmethod
    def unpullable(cls) -> "ImageBehaviour":
        """ErrImagePull, then ImagePullBackOff."""
        return cls(Mode.UNPULLABLE)


Images = Callable[[str], ImageBehaviour]
"""Chooses the behaviour of an image by its full name."""


def by_tag(image: str) -> ImageBehaviour:
    """The default choice by the tag: `never-ready`, `crash`, `out-of-memory`, `missing`, `slow`; all else is good."""
    tag = image.rsplit("/", 1)[-1].partition(":")[2]
    if "never-ready" in tag:
        return ImageBehaviour.never_ready(log=("starting", "waiting for a dependency that never answers"))
    if "crash" in tag:
        return ImageBehaviour.crash_looping(log=("starting", "fatal: simulated crash"))
    if "out-of-memory" in tag:
        return ImageBehaviour.out_of_memory(log=("starting", "reading everything into memory"))
    if "missing" in tag:
        return ImageBehaviour.unpullable()
    ready_after = 60.0 if "slow" in tag else 0.0
    return ImageBehaviour.good(ready_after, log=("starting", "listening on 8080"))
