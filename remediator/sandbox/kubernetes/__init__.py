"""A Kubernetes API server and its controllers in one process, held to recordings of a real one.

For tests and the demo: real HTTP, real semantics of versions, patches, watches and rollouts, time that may be
moved by hand, and faults on demand. What it does not do it answers with 501, never with a guess.
"""

from remediator.sandbox.kubernetes.access import EVERYTHING, AccessRule, Account, service_account
from remediator.sandbox.kubernetes.clock import DrivenClock
from remediator.sandbox.kubernetes.effects import Effect, LoggedRequest
from remediator.sandbox.kubernetes.emulator import Emulator
from remediator.sandbox.kubernetes.faults import Fault
from remediator.sandbox.kubernetes.images import ImageBehaviour, by_tag
from remediator.sandbox.kubernetes.settings import PROMPT, Settings

__all__ = [
    "EVERYTHING",
    "PROMPT",
    "AccessRule",
    "Account",
    "DrivenClock",
    "Effect",
    "Emulator",
    "Fault",
    "ImageBehaviour",
    "LoggedRequest",
    "Settings",
    "by_tag",
    "service_account",
]
