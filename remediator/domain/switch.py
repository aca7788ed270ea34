"""A switch: a pause that is set without the database, by an annotation in the cluster or a file beside the daemon."""

from typing import Literal

from remediator.domain.value import Value

Scope = Literal["everything", "namespace", "rule", "target"]
"""How much stands still."""


class Switch(Value):
    """One that is set. Whoever sees it first makes a pause in the database of it, which only people end."""

    source: Literal["annotation", "file"]
    scope: Scope
    value: str
    """The namespace or kind/namespace/name; empty for everything."""
    who: str
    why: str

    @property
    def covers(self) -> str:
        return covers(self.scope, self.value)

    @property
    def sentence(self) -> str:
        return f"{self.who} paused {self.covers} by {self.source}, because {self.why}"


def covers(scope: Scope, value: str) -> str:
    """What stands still, in words."""
    return {"everything": "everything", "target": value}.get(scope, f"{scope} {value}")
