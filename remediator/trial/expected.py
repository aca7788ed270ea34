"""What a test may expect, and at which time."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from remediator.domain.target import Target
from remediator.trial.moment import Moment

Ending = Literal["RESOLVED", "BLOCKED", "SHADOWED", "DECLINED", "CANCELLED", "ESCALATED", "UNKNOWN"]
Disposition = Literal[
    "no_rule",
    "no_target",
    "target_unknown",
    "other_cluster",
    "storm",
    "waiting",
    "shadowed",
    "settling",
    "handled",
    "joined",
]
KINDS = ("acts", "asks", "holds", "refuses", "ends", "nothing")
"""What can be expected; an entry says one of them."""


def a_workload(text: str) -> str:
    """A workload's name as it is; raises ValueError saying which part is wrong."""
    Target.parse(text, "")
    return text


WorkloadName = Annotated[str, AfterValidator(a_workload)]


class Shape(BaseModel):
    """What every mapping of a file of tests has in common: nothing in it but what it knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Expected(Shape):
    """What has to be seen at one time: one of KINDS, which may be narrowed to a target, a rule and words."""

    at: Moment
    acts: str | None = None
    """`restart`, `rollback to IMAGE`, `scaling to NUMBER` or `eviction`: a change that the API server really applied
    then."""
    asks: str | None = None
    """The guard, or the action, for which a person was asked to agree then."""
    holds: str | None = None
    """The guard or verification that a run waits for at that time."""
    refuses: str | None = None
    """The guard that said no or could not know then, or the action that had nothing to propose."""
    ends: Ending | None = None
    """How a run ended then."""
    nothing: Disposition | None = None
    """Why no run is planned for an alert at that time."""
    target: WorkloadName | None = None
    rule: str | None = None
    because: str | None = None
    """Words that the sentence contains."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        said = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(said) != 1:
            raise ValueError(f"an entry expects one of {', '.join(KINDS)}; here {len(said)} are given")
        return self

    @property
    def kind(self) -> str:
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def what(self) -> str:
        return str(getattr(self, self.kind))
