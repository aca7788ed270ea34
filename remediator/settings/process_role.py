"""What a process of each role answers, and whether it plans and acts. The one table of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ProcessRole = Literal["all", "intake", "executor"]
"""One process for everything, or two: one that listens to the outside, and one that holds the Kubernetes token."""

Routes = Literal["intake", "health", "people"]
"""`POST /api/v1/alertmanager`; /-/ and /metrics; the rest of /api, with POST /-/reload, for people."""

EVERY_ROUTE: tuple[Routes, ...] = ("intake", "health", "people")


@dataclass(frozen=True, slots=True)
class Parts:
    """What belongs to one role."""

    outside: tuple[Routes, ...]
    """Answered on web.listen-address."""
    inside: tuple[Routes, ...] = ()
    """Answered on web.api-listen-address, which the others do not listen on."""
    engine: bool = True
    """Plans and acts: all loops, the rules, Kubernetes, and a database user that may read."""


ROLES: Mapping[ProcessRole, Parts] = {
    "all": Parts(outside=EVERY_ROUTE),
    "intake": Parts(outside=("intake", "health"), engine=False),
    "executor": Parts(outside=("health",), inside=("people",)),
}
