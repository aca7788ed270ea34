"""Time that only a test moves: the product's own, which `rules test` goes by."""

from remediator.trial.clock import DRIVEN_NOW, START, DrivenClock

__all__ = ["DRIVEN_NOW", "START", "DrivenClock"]
