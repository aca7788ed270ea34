"""How long things take in the emulated cluster."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Seconds, by the emulator's clock.

    observe_lag: from a change until a controller or the kubelet has seen it. While it passes, a Deployment's
        observedGeneration is behind its generation.
    schedule_seconds: from a pod's creation until it is bound to the node.
    pull_seconds, start_seconds: together, from the kubelet's first look until the container runs.
    ready_seconds: from running until the first readiness probe can pass (besides its own delays).
    stop_seconds: how long a container takes to stop when its pod is deleted; never longer than the grace period.
    """

    observe_lag: float = 0.05
    schedule_seconds: float = 0.05
    pull_seconds: float = 0.1
    start_seconds: float = 0.2
    ready_seconds: float = 0.5
    stop_seconds: float = 0.3


PROMPT = Settings(observe_lag=0.0, schedule_seconds=0.0)
"""Controllers and scheduler see every change at once: with a clock moved by hand, a write is reconciled as far
as it can be before it is answered; only containers still take their time."""
