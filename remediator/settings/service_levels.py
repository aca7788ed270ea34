"""What an operator may write about service level objectives."""

from datetime import timedelta

from pydantic import Field, field_validator

from remediator.domain.duration import Duration
from remediator.domain.target import Target
from remediator.settings.sections import Section


class ServiceLevel(Section):
    """An objective that no recording rules of Sloth or Pyrra tell of."""

    name: str = Field(min_length=1)
    objective: float = Field(strict=True, gt=0.0, lt=1.0)
    """The share of events that have to be good, such as 0.999."""
    window: Duration = Field(default=timedelta(days=30), gt=timedelta(0))
    errors: str
    """A query for the share of events that went wrong within `${window}`, which is filled in."""
    targets: tuple[str, ...] = ()
    """`kind/namespace/name` of the workloads that keep it."""

    @field_validator("errors")
    @classmethod
    def _over_the_window(cls, errors: str) -> str:
        if "${window}" not in errors:
            raise ValueError("it has to look over [${window}], which is filled in")
        return errors

    @field_validator("targets")
    @classmethod
    def _of_workloads(cls, targets: tuple[str, ...]) -> tuple[str, ...]:
        for each in targets:
            Target.parse(each, cluster="")
        return targets
