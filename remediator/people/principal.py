"""Somebody who was recognised."""

from typing import Literal

from pydantic import Field

from remediator.domain.value import Value

Proof = Literal["token", "password", "kubernetes"]
"""How somebody showed who they are."""


class Principal(Value):
    """Who it is, and how that was shown. Holds nothing secret, so that it can be kept with what they said."""

    name: str
    proof: Proof
    uid: str = ""
    """The rest is what Kubernetes says of its users, and asks for when their rights are reviewed."""
    groups: tuple[str, ...] = ()
    extra: dict[str, tuple[str, ...]] = Field(default_factory=dict)
