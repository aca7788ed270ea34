"""The identity of a cluster, and of the database that remembers what was done there. Pure."""

from datetime import datetime
from typing import Protocol

from remediator.domain.value import Value

IDENTITY = "kube-system"
"""Its uid is the nearest thing to an identity that a cluster has: it lives as long as the cluster."""


class Binding(Value):
    """The cluster a database belongs to."""

    uid: str
    """Of the namespace IDENTITY."""
    name: str
    """`cluster.name` of the settings at that time."""
    who: str
    why: str
    bound_at: datetime

    def against(self, uid: str) -> str | None:
        """Why nothing may be done with this database in the cluster of this uid; None when it is its own."""
        if uid == self.uid:
            return None
        return (
            f"this database belongs to cluster {self.name!r} ({IDENTITY} {self.uid}, since "
            f"{self.bound_at:%Y-%m-%d %H:%M} UTC), and this cluster is another one ({IDENTITY} {uid}): nothing is "
            "changed and nothing sent until a person runs `remediator adopt-database`"
        )


class Belongs(Protocol):
    """Whether the database is that of the cluster it is used in."""

    async def against(self) -> str | None:
        """Why nothing may be sent or changed, as a sentence: it is another cluster's, or that cannot be told."""

    async def foreign(self) -> str | None:
        """The same, but None also while it cannot be told: for what only reads and remembers."""

    async def known_foreign(self) -> str | None:
        """The same by what is known so far, without asking the cluster: for the intake, which waits for no cluster."""
