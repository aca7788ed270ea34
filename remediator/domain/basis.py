"""What a plan rests on beside the template: the facts of a workload that must not change before it is carried out."""

from remediator.domain.value import JsonObject, Value


class Basis(Value):
    """One reading of these facts, in words that people know them by."""

    uid: str
    replicas: int | None
    """How many are wanted; None where an autoscaler, or the number of nodes, decides that from moment to moment."""
    paused: bool
    strategy: JsonObject
    """The rollout's strategy, and how a StatefulSet orders its pods."""
    owners: tuple[str, ...] = ()
    """What applies it besides people: `Helm release api`."""
    autoscalers: tuple[str, ...] = ()
    """What changes its replicas or its pods' sizes: `HorizontalPodAutoscaler api`."""
    budgets: tuple[str, ...] = ()
    """PodDisruptionBudgets that select its pods, by name."""

    def changes_to(self, now: "Basis") -> tuple[str, ...]:
        """What has changed from this reading to a later one, a sentence's part each; none when nothing has."""
        if now.uid != self.uid:
            return ("it was deleted and made anew",)
        found = []
        if None not in (self.replicas, now.replicas) and now.replicas != self.replicas:
            found.append(f"{now.replicas} replicas are wanted, and {self.replicas} were")
        if now.paused != self.paused:
            found.append("it is paused" if now.paused else "it is no longer paused")
        if now.strategy != self.strategy:
            found.append("its rollout strategy is another")
        for what, before, after in (
            ("its owner", self.owners, now.owners),
            ("the autoscaler", self.autoscalers, now.autoscalers),
            ("the PodDisruptionBudget", self.budgets, now.budgets),
        ):
            found += [f"{what} {each} appeared" for each in after if each not in before]
            found += [f"{what} {each} went away" for each in before if each not in after]
        return tuple(found)
