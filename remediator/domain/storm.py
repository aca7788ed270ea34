"""A storm: so many targets begin to fire at once that cause and effect cannot be told apart."""

from datetime import datetime

from remediator.domain.value import Value


class Storm(Value):
    """One storm in force, in one namespace or, without one, everywhere."""

    id: int
    namespace: str | None
    began_at: datetime
    ends_at: datetime
    """When the cool-down is over, unless the threshold is reached again before."""
    offered: str | None = None
    """The one target of which a person is asked, as `kind/namespace/name`."""
    offer: str | None = None
    """What they are asked, the same as long as the storm lasts."""

    @property
    def where(self) -> str:
        return "everywhere" if self.namespace is None else f"in namespace {self.namespace}"

    @property
    def why(self) -> str:
        """What everybody is told who would act."""
        return (
            f"a storm {self.where} since {self.began_at:%H:%M:%S}: too many targets began to fire at once to tell "
            "cause from effect, so nothing is changed until it is over"
        )


class Dependent(Value):
    """Another target that fires, and needs something that ours needs too."""

    target: str
    alertname: str
    starts_at: datetime
    shared: tuple[str, ...]


class Surroundings(Value):
    """What fires beside a target."""

    storm: Storm | None = None
    """The one that covers it; of two the one everywhere."""
    in_namespace: int = 0
    """Targets of acting rules in its namespace that began to fire within the window."""
    anywhere: int = 0
    unplanned: int = 0
    """Alerts that came within the window and that planning has not seen yet: each may be another target."""
    dependents: tuple[Dependent, ...] = ()
