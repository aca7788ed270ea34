"""The same change is tried once, and nothing is rolled back to what was left."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Literal

from remediator.domain.answers import GuardVerdict, Limit
from remediator.domain.change import ATTEMPT, ROLLED_BACK_FROM, Change, TemplatePatch
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import Guard
from remediator.workloads.writers import last_foreign_write

_WINDOW = timedelta(hours=24)
_NONE_OF: Mapping[Literal["pair", "return", "put_back"], str] = {
    "pair": "this very rollback was already made in the last 24 hours",
    "return": "the version it would go to is one we rolled away from in the last 24 hours",
    "put_back": "a person put this version back in the last 24 hours, by undoing what was done about it",
}

_NO_SCALING: Mapping[Literal["pair", "return", "put_back"], str] = {
    "pair": "it was scaled from and to the same numbers in the last 24 hours already, and somebody took that back"
}


class PingPong(Guard):
    """At most one rollback of this from-to pair in 24 hours, none to a version we left within them, and none from
    a version that a person put back by undoing a rollback. At most one scaling from and to the same numbers: what took
    it back would take it back again.
    """

    actions: ClassVar[frozenset[str] | None] = frozenset({"rollback", "scale"})

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict | None:
        """Refuse by name when what we rolled back from was put back; the counts refuse whatever this sees."""
        if not isinstance(change, TemplatePatch):
            return None
        target = change.target
        workload = await kit.kube.get(target.kind, target.namespace, target.name)
        if workload is None:
            return self.unknown(f"{target} does not exist")
        annotations = workload["metadata"].get("annotations") or {}
        if annotations.get(ROLLED_BACK_FROM) != change.from_revision:
            return None
        rolled_back_at = await kit.history.attempted_at(target, annotations.get(ATTEMPT, ""))
        if rolled_back_at is None or kit.clock.now() - rolled_back_at > _WINDOW:
            return None
        write = last_foreign_write(workload)
        who = write.manager if write is not None else "somebody"
        when = f" at {write.at:%H:%M:%S}" if write is not None and write.at is not None else ""
        return self.refuse(
            f"{who} put {change.from_title} back{when}, after it was rolled back from at "
            f"{rolled_back_at:%H:%M:%S}: revert it where {who} takes it from",
            {"manager": who, "rolled_back_at": rolled_back_at.isoformat()},
        )

    def limits(self, change: Change, run: RunView) -> tuple[Limit, ...]:
        none_of = _NONE_OF if isinstance(change, TemplatePatch) else _NO_SCALING
        return tuple(
            Limit(
                guard=self.key(),
                count="effects",
                of=of,
                fewer_than=1,
                per_seconds=_WINDOW.total_seconds(),
                why=why,
                passing=False,
            )
            for of, why in none_of.items()
        )
