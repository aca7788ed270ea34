"""Requests for approval, what people answered, and the one use of a yes.

Whoever locks both takes the run's row first and the request's second.
"""

from datetime import datetime
from typing import Any

from remediator.domain.answers import Refusal
from remediator.domain.value import Value
from remediator.people.principal import Principal
from remediator.redaction.text import redact
from remediator.run import Asks, Run
from remediator.store.database import Connection

_FIELDS = """id, run_id, rung, digest, level, people, asked, requester, requested_at, expires_at, used_at,
             closed_at, closed_why"""


class ApprovalAnswer(Value):
    """What one person said. `why` may be empty for a yes."""

    who: str
    yes: bool
    why: str
    at: datetime
    principal: Principal


class ApprovalRequest(Value):
    """What people were asked, and what they have said so far."""

    id: int
    run_id: int
    rung: int
    digest: str
    level: str
    people: int
    asked: tuple[str, ...]
    requester: str | None
    requested_at: datetime
    expires_at: datetime
    used_at: datetime | None
    closed_at: datetime | None
    closed_why: str | None
    answers: tuple[ApprovalAnswer, ...] = ()

    @property
    def yes(self) -> tuple[ApprovalAnswer, ...]:
        """Those who agreed."""
        return tuple(each for each in self.answers if each.yes)

    @property
    def who_count(self) -> tuple[ApprovalAnswer, ...]:
        """Those who agreed, without the one who asked for the run where that one may not be among them."""
        return tuple(each for each in self.yes if not (self.not_the_requester and each.who == self.requester))

    @property
    def no(self) -> ApprovalAnswer | None:
        """Who said no first."""
        return next((each for each in self.answers if not each.yes), None)

    @property
    def not_the_requester(self) -> bool:
        """Whether the one who asked for the run may not be among those who agree."""
        return self.people > 1

    @property
    def granted(self) -> bool:
        """Whether enough people agreed and nobody said no."""
        return self.no is None and len(self.who_count) >= self.people


class Approved(Value):
    """The approval an intent has to use."""

    rung: int
    digest: str
    people: int


async def request(connection: Connection, run: Run, asks: Asks) -> None:
    """Make a request in place of an earlier one; call within a transaction that holds the run's row."""
    await close(connection, run.id, "another plan took its place")
    await connection.execute(
        """insert into approval_requests (run_id, rung, digest, level, people, asked, requester, expires_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8)""",
        run.id,
        run.rung,
        asks.digest,
        asks.needed.level.name,
        asks.needed.people,
        [redact(each) for each in asks.needed.why],
        None if run.asked_by is None else run.asked_by.who,
        asks.expires_at,
    )


async def close(connection: Connection, run_id: int, why: str) -> None:
    """Nobody can answer the run's open request any more."""
    await connection.execute(
        """update approval_requests set closed_at = remediator_now(),
                                        closed_why = case when used_at is null then $2 else 'it was used' end
           where run_id = $1 and closed_at is null""",
        run_id,
        redact(why),
    )


async def of_run(connection: Connection, run_id: int) -> list[ApprovalRequest]:
    """Every request of a run, oldest first."""
    rows = await connection.fetch(
        f"select {_FIELDS} from approval_requests where run_id = $1 order by id", run_id
    )
    return [await _with_answers(connection, row) for row in rows]


async def open_request(connection: Connection, run_id: int, *, lock: bool = False) -> ApprovalRequest | None:
    """The request of a run that no other has taken the place of: waiting, answered or used."""
    row = await connection.fetchrow(
        f"""select {_FIELDS} from approval_requests where run_id = $1 and closed_at is null
            {"for update" if lock else ""}""",
        run_id,
    )
    return None if row is None else await _with_answers(connection, row)


async def answer(
    connection: Connection, asked: ApprovalRequest, who: Principal, *, yes: bool, why: str
) -> None:
    """What a person says; a yes may still become a no. The run is due at once.

    Call within a transaction that holds the run's row and the request's.
    """
    await connection.execute(
        """insert into approval_answers (request_id, who, yes, why, principal) values ($1, $2, $3, $4, $5)
           on conflict (request_id, who) do update set yes = false, why = excluded.why, at = excluded.at
           where approval_answers.yes and not excluded.yes""",
        asked.id,
        who.name,
        yes,
        redact(why),
        who.to_json(),
    )
    await connection.execute(
        "update runs set due_at = least(due_at, remediator_now()) where id = $1", asked.run_id
    )


class Declined(Refusal):
    """A person said no."""


NOT_ASKED = Refusal(why="no approval is for exactly this plan")


def against(asked: ApprovalRequest, approved: Approved, now: datetime) -> Refusal | None:
    """Why a request is not the approval that an intent has to use, if it is not."""
    if asked.closed_at is not None or (asked.rung, asked.digest) != (approved.rung, approved.digest):
        return NOT_ASKED
    if asked.no is not None:
        return Declined(why=f"{asked.no.who} said no: {asked.no.why}")
    if len(asked.who_count) < approved.people:
        return Refusal(why=f"{len(asked.who_count)} of {approved.people} people agreed")
    if asked.used_at is None and asked.expires_at <= now:
        return Refusal(why="the approval expired before the change could be made")
    return None


async def use(connection: Connection, run_id: int, approved: Approved) -> Refusal | None:
    """Use the approval of exactly this plan, or say why there is none; call within the intent's transaction.

    All changes of one rung are one use.
    """
    asked = await open_request(connection, run_id, lock=True)
    refused = NOT_ASKED if asked is None else against(asked, approved, await now(connection))
    if asked is None or refused is not None:
        return refused
    await connection.execute(
        "update approval_requests set used_at = coalesce(used_at, remediator_now()) where id = $1", asked.id
    )
    return None


async def now(connection: Connection) -> datetime:
    """The time by which requests expire."""
    moment: datetime = await connection.fetchval("select remediator_now()")
    return moment


async def waiting(connection: Connection) -> tuple[int, float]:
    """How many runs wait for people, and for how many seconds the one that waits longest; 0 and 0 when none."""
    row: Any = await connection.fetchrow(
        """select count(*) as runs, extract(epoch from remediator_now() - min(q.requested_at)) as seconds
           from approval_requests q join runs r on r.id = q.run_id and r.state = 'CLEARED'
           where q.closed_at is null"""
    )
    return row["runs"], float(row["seconds"] or 0)


async def _with_answers(connection: Connection, row: Any) -> ApprovalRequest:
    answers = await connection.fetch(
        "select who, yes, why, at, principal from approval_answers where request_id = $1 order by at, who",
        row["id"],
    )
    return ApprovalRequest(**row, answers=tuple(ApprovalAnswer(**each) for each in answers))
