"""Holds the audit against itself and against what it tells of. Reads only, and trusts no function of the database."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from remediator.domain.value import Value
from remediator.store import audit
from remediator.store.audit import Head, Record
from remediator.store.database import Connection

_MOST_BREAKS = 1000


class Break(Value):
    """One thing that is not as it was written."""

    where: str
    """`run/4711 place 3`, or the row of another table."""
    what: str


class Verified(Value):
    """What was held against what."""

    records: int
    chains: int
    effects: int
    """Attempts that changed something, by their records."""
    breaks: tuple[Break, ...]


class Pair(NamedTuple):
    """Rows of another table, each of which has a newest record of one kind that says the same."""

    what: str
    kinds: tuple[str, ...]
    rows: str
    """`subject` and `facts`, which the record has to contain."""


_PAIRS = (
    Pair(
        "attempt",
        ("intent",),
        """select 'attempt/' || id as subject, jsonb_build_object(
               'attempt', concat_ws('/', run_id, rung, action_index), 'action', action,
               'target', concat_ws('/', cluster, kind, namespace, name), 'from', from_revision, 'to', to_revision,
               'change_sha256', encode(sha256(convert_to(change::text, 'UTF8')), 'hex')) as facts from attempts""",
    ),
    Pair(
        "outcome of an attempt",
        ("outcome",),
        """select 'attempt/' || id as subject, jsonb_build_object('outcome', outcome, 'why', outcome_why) as facts
           from attempts where outcome is not null""",
    ),
    Pair(
        "answer of a person",
        ("answer",),
        """select 'answer/' || request_id || '/' || who as subject,
                  jsonb_build_object('yes', yes, 'why', why, 'request', request_id) as facts from approval_answers""",
    ),
    Pair(
        "pause",
        ("pause",),
        """select 'pause/' || id as subject, jsonb_build_object(
               'kind', kind, 'scope', scope, 'value', value, 'who', who, 'why', why) as facts from pauses""",
    ),
    Pair(
        "end of a pause",
        ("resume",),
        """select 'pause/' || id as subject, jsonb_build_object('who', cleared_by) as facts from pauses
           where cleared_at is not null and cleared_by <> 'its time ran out'""",
    ),
    Pair(
        "run that a person asked for",
        ("asked",),
        """select 'run/' || id as subject, jsonb_build_object('who', trigger->'who', 'rule', rule) as facts
           from runs where trigger->>'kind' = 'person'""",
    ),
    Pair(
        "end of a run",
        ("ended",),
        """select 'run/' || id as subject, jsonb_build_object('to', state) as facts from runs
           where mode <> 'shadow' and ended_at is not null""",
    ),
    Pair(
        "approval of a rule",
        ("rule_approved",),
        """select 'rule/' || digest as subject, jsonb_build_object('who', approved_by) as facts
           from rule_versions where approved_at is not null""",
    ),
    Pair(
        "binding to a cluster",
        ("cluster_bound",),
        """select 'cluster/' || id as subject, jsonb_build_object('uid', uid, 'name', name, 'who', who) as facts
           from cluster_bindings""",
    ),
    Pair(
        "demotion of a rule",
        ("rule_demoted",),
        """select 'demotion/' || id as subject, jsonb_build_object('rule', rule, 'mode', mode) as facts
           from demotions""",
    ),
    Pair(
        "breaker",
        ("breaker_opened", "breaker_closed"),
        """select 'breaker/' || id as subject, jsonb_build_object('who', closed_by) as facts
           from breaker_openings""",
    ),
)

_COMPARE = """
with source as ({rows}),
newest as (
    select distinct on (subject) subject, chain, place, record::jsonb as record
    from audit where kind = any($1::text[]) order by subject, id desc)
select coalesce(s.subject, n.subject) as subject, n.chain, n.place,
       case when n.subject is null then 'has no record'
            when s.subject is null then 'is gone, and its record is not'
            else 'is not what its record says' end as what
from source s full join newest n using (subject)
where n.subject is null
   or s.subject is null and not exists (select 1 from audit p where p.chain = n.chain and p.kind = 'pruned')
   or s.subject is not null and not n.record @> s.facts
order by 1 limit $2
"""
_TWICE = """
select subject from audit where kind = 'intent' group by subject having count(*) > 1 order by 1 limit $1
"""


async def verify(connection: Connection, kept: Mapping[tuple[str, int], str]) -> Verified:
    """All that does not fit; call within a transaction that sees one state of the database.

    `kept` are hashes by chain and place that were exported before: what was cut off together with all that tells of
    it is noticed by them alone.
    """
    heads = await audit.heads(connection)
    walked = _Walk(heads, dict(kept))
    async for record in audit.chains(connection):
        walked.see(record)
    walked.finish()
    breaks = walked.breaks
    for pair in _PAIRS:
        rows: list[Any] = await connection.fetch(
            _COMPARE.format(rows=pair.rows), list(pair.kinds), _MOST_BREAKS
        )
        breaks += [Break(where=_place(row), what=f"the {pair.what} {row['what']}") for row in rows]
    for row in await connection.fetch(_TWICE, _MOST_BREAKS):
        breaks.append(Break(where=row["subject"], what="it was intended twice by the records"))
    return Verified(
        records=walked.records, chains=len(heads), effects=walked.effects, breaks=tuple(breaks[:_MOST_BREAKS])
    )


def _place(row: Any) -> str:
    return (
        row["subject"] if row["chain"] is None else f"{row['chain']} place {row['place']} ({row['subject']})"
    )


class _Walk:
    """Follows the chains record by record. Of each chain only the first break is told: what follows hangs on it."""

    def __init__(self, heads: Mapping[str, Head], kept: dict[tuple[str, int], str]) -> None:
        self.breaks: list[Break] = []
        self.records = 0
        self.effects = 0
        self._heads = heads
        self._kept = kept
        self._last: Record | None = None
        self._ends: dict[str, tuple[int, str]] = {}
        self._broken: set[str] = set()

    def see(self, record: Record) -> None:
        """The next record, in the order of chain and place."""
        self.records += 1
        self.effects += record.kind == "outcome" and '"outcome": "applied"' in record.record
        last = self._last if self._last is not None and self._last.chain == record.chain else None
        place, before = (last.place + 1, last.hash) if last is not None else (1, "")
        if record.place != place:
            self._break(record.chain, place, f"it is missing; the next there is stands at {record.place}")
        elif record.hash != record.expected_hash(before):
            self._break(record.chain, place, "its hash does not follow from it and the record before it")
        kept = self._kept.pop((record.chain, record.place), record.hash)
        if kept != record.hash:
            self._break(record.chain, record.place, "it is not the one that was exported")
        self._ends[record.chain] = (record.place, record.hash)
        self._last = record

    def finish(self) -> None:
        """Every record has been seen: do the chains end where their heads say?"""
        for chain in sorted(self._ends.keys() | self._heads.keys()):
            place, end = self._ends.get(chain, (0, ""))
            head = self._heads.get(chain)
            if head is None:
                self._break(chain, place, "the chain has no head")
            elif head.place != place:
                self._break(
                    chain, place + 1, f"it is missing: the chain ends at {place}, its head says {head.place}"
                )
            elif head.hash != end:
                self._break(chain, place, "its hash is not that of the chain's head")
        for chain, place in sorted(self._kept):
            self._break(chain, place, "it was exported, and is missing")

    def _break(self, chain: str, place: int, what: str) -> None:
        if chain not in self._broken:
            self._broken.add(chain)
            self.breaks.append(Break(where=f"{chain} place {place}", what=what))
