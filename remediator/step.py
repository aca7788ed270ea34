"""What a step is: the bases of guards, diagnostics, actions, verifications and notifiers.

A step is one frozen class in one file. Its fields are what may stand in a rule file, its one method
is what it does. The file's name is the YAML key and the snake_case of the class.
"""

import re
from abc import abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from remediator.clients.postgres import Session
from remediator.domain.answers import Evidence, Finding, GuardAnswer, GuardVerdict, Limit, Proposal
from remediator.domain.change import Change
from remediator.domain.duration import Duration
from remediator.domain.notice import Notice
from remediator.domain.run_view import RunView
from remediator.kit import Kit


@cache
def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Step(BaseModel):
    """One entry of a rule: `name` alone or `name: {fields}`."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    bare: ClassVar[str | None] = None
    """The field that a bare value gives: `min_replicas: 2`. None where all fields need their names."""

    @classmethod
    def key(cls) -> str:
        """The YAML key: the class name in snake_case."""
        return _snake_case(cls.__name__)

    @model_validator(mode="before")
    @classmethod
    def _bare_value(cls, given: Any) -> Any:
        if cls.bare is None or isinstance(given, Mapping | cls):
            return given
        return {cls.bare: given}

    def narrows(self, earlier: "Step") -> bool:
        """Whether putting it where `earlier` stood lets nothing happen that could not happen before.

        A rule that only narrows keeps its standing. So a step says yes to more than itself only where that
        can be proved for whatever the cluster looks like.
        """
        return self == earlier

    @model_serializer(mode="wrap")
    def _as_in_a_rule_file(self, fields: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {self.key(): fields(self)}


class Diagnostic(Step):
    """A read-only look, made before anything destroys the evidence."""

    deadline: ClassVar[timedelta] = timedelta(seconds=15)

    @abstractmethod
    async def look(self, run: RunView, kit: Kit) -> Evidence:
        """What it saw. May raise Retryable or Permanent: a look that fails stops nothing."""


class DatabaseDiagnostic(Diagnostic):
    """A look into one of the databases of applications. What it could not see it says as well."""

    bare: ClassVar[str | None] = "database"

    database: str | None = None
    """Its name under `databases` in remediator.yml; without one, the database that serves the target."""

    @abstractmethod
    async def look_into(self, session: Session, run: RunView, kit: Kit) -> Evidence:
        """What it saw. May raise Retryable or Permanent, as `look` may."""

    async def look(self, run: RunView, kit: Kit) -> Evidence:
        chosen = kit.databases.chosen(self.database, run.target)
        async with kit.databases.session(chosen) as session:
            return _with_unseen(chosen.name, session, await self.look_into(session, run, kit))


class WholeDatabaseDiagnostic(DatabaseDiagnostic):
    """A look into a database that is the same for every run, and for the digest, which is for none."""

    @abstractmethod
    async def examine(self, session: Session) -> Evidence:
        """What it saw. May raise Retryable or Permanent, as `look` may."""

    async def look_into(self, session: Session, run: RunView, kit: Kit) -> Evidence:
        return await self.examine(session)

    async def look_at(self, session: Session) -> Evidence:
        """What it saw in this session, as `look` tells it. Raises as `examine` does."""
        session.unseen.clear()
        return _with_unseen(session.name, session, await self.examine(session))


def _with_unseen(name: str, session: Session, seen: Evidence) -> Evidence:
    unseen = f" (not seen: {'; '.join(session.unseen)})" if session.unseen else ""
    return seen.model_copy(
        update={
            "summary": f"{name}: {seen.summary}{unseen}",
            "details": {"database": name, **seen.details, "unseen": list(session.unseen)},
        }
    )


class Guard(Step):
    """A reason not to make this change now.

    A guard answers from fresh facts in `verdict`, or declares counts in `limits` that the database
    enforces in the intent's own transaction, or both.
    """

    deadline: ClassVar[timedelta] = timedelta(seconds=10)
    actions: ClassVar[frozenset[str] | None] = None
    """The actions it applies to; None for all of them."""
    of_alerts: ClassVar[bool] = False
    """Whether it judges the alert: then it has nothing to say of a run that a person asked for."""

    def concerns(self, run: RunView) -> bool:
        """Whether it is asked for this run at all."""
        return run.alert is not None or not self.of_alerts

    def applies_to(self, change: Change, run: RunView) -> bool:
        """Whether it is asked about this change."""
        return self.concerns(run) and (self.actions is None or change.action in self.actions)

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict | None:
        """Allow, ask, refuse or unknown; None when all it has to say is in its limits.

        What it raises or leaves unanswered counts as unknown.
        """
        return None

    def limits(self, change: Change, run: RunView) -> tuple[Limit, ...]:
        """Counts that must hold when the intent is committed."""
        return ()

    @classmethod
    def allow(
        cls, why: str, inputs: Mapping[str, Any] | None = None, caveats: tuple[str, ...] = ()
    ) -> GuardVerdict:
        return cls._answer(GuardAnswer.ALLOW, why, inputs, passing=False, caveats=caveats)

    @classmethod
    def ask(cls, why: str, inputs: Mapping[str, Any] | None = None) -> GuardVerdict:
        """A person has to agree. `why` is what they agree to: it must not change from one look to the next."""
        return cls._answer(GuardAnswer.ASK, why, inputs, passing=False)

    @classmethod
    def refuse(
        cls,
        why: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        passing: bool = False,
        hands_over: bool = False,
        plan_again: bool = False,
    ) -> GuardVerdict:
        return cls._answer(
            GuardAnswer.REFUSE, why, inputs, passing=passing, hands_over=hands_over, plan_again=plan_again
        )

    @classmethod
    def unknown(cls, why: str, inputs: Mapping[str, Any] | None = None) -> GuardVerdict:
        return cls._answer(GuardAnswer.UNKNOWN, why, inputs, passing=True)

    @classmethod
    def _answer(
        cls, answer: GuardAnswer, why: str, inputs: Mapping[str, Any] | None, *, passing: bool, **more: Any
    ) -> GuardVerdict:
        return GuardVerdict(
            guard=cls.key(), answer=answer, why=why, passing=passing, inputs=dict(inputs or {}), **more
        )


class TargetGuard(Guard):
    """A guard that needs no change to judge, only the target.

    It is asked before diagnostics as well, so that what will not be acted on is not looked at for long.
    """

    before_each_write: ClassVar[bool] = False
    """Asked once more right before every write, which may begin only for a moment after that."""

    @abstractmethod
    async def on_target(self, run: RunView, kit: Kit) -> GuardVerdict | None:
        """Allow, refuse or unknown, whatever the change; None when all it has to say is in its limits."""

    def target_limits(self, run: RunView) -> tuple[Limit, ...]:
        """Counts that must hold, whatever the change."""
        return ()

    async def verdict(self, change: Change, run: RunView, kit: Kit) -> GuardVerdict | None:
        return await self.on_target(run, kit)

    def limits(self, change: Change, run: RunView) -> tuple[Limit, ...]:
        return self.target_limits(run)


class Action(Step):
    """Proposes a change. Making it is not a step's business: the room effects/ alone writes."""

    deadline: ClassVar[timedelta] = timedelta(seconds=30)

    @abstractmethod
    async def propose(self, run: RunView, kit: Kit) -> Proposal:
        """The change with absolute values, or the refusal, with what it looked at."""


class Verification(Step):
    """Did it help? Asked again and again until it settles; one look is never enough to decide."""

    deadline: ClassVar[timedelta] = timedelta(seconds=15)

    hold_for: Duration = Field(default=timedelta(0), alias="for")
    """The same answer must hold this long before it counts."""
    within: Duration = timedelta(minutes=10)
    """When it has not settled this long after the effect, the last answer is the final one."""

    @abstractmethod
    async def finding(self, change: Change, run: RunView, kit: Kit) -> Finding:
        """How it looks right now."""


class Notifier(Step):
    """Carries a notice to people."""

    deadline: ClassVar[timedelta] = timedelta(seconds=10)

    @abstractmethod
    async def send(self, notice: Notice, kit: Kit) -> None:
        """Deliver, or raise Retryable (the courier tries again) or Permanent (it gives up and says so)."""
