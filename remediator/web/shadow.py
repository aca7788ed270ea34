"""What rules in shadow would have done, and what happened instead, over HTTP."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from remediator.domain.confidence import share
from remediator.domain.rule_mode import RuleMode
from remediator.domain.target import Target
from remediator.domain.value import JsonObject
from remediator.hindsight.rule_report import Hindsight, RuleReport, rule_report
from remediator.memory.watcher import UNSEEN_AFTER
from remediator.people.principal import Principal
from remediator.people.roster import People
from remediator.rulebook.rule import Rule
from remediator.store import acted_runs, shadow_runs
from remediator.store.acted_runs import Record
from remediator.store.database import Connection
from remediator.store.shadow_runs import ShadowRun, WatchedTenure
from remediator.web.collaborators import Collaborators
from remediator.web.responses import document, problem
from remediator.web.roles import only_for

_DATABASE_SECONDS = 10.0
_DAYS = 30
_MOST_DAYS = 365
_MOST_LOOKS = 20_000
"""Rules and incidents they looked at, which is what a report keeps in memory."""


class ShadowReport:
    """Looking takes the role view."""

    def __init__(self, collaborators: Collaborators, people: People) -> None:
        self._collaborators = collaborators
        self._people = people

    def routes(self) -> list[web.RouteDef]:
        """What this answers."""
        return [web.get("/api/v1/shadow", only_for(self._people, "view", self._report))]

    async def _report(self, request: web.Request, who: Principal) -> web.Response:
        days, named = _days(request), request.query.get("rule")
        rules = [each for each in self._collaborators.rules() if named in (None, each.rule)]
        if named is not None and not rules:
            return problem(
                404, f"no rule called {named} is loaded", "`remediator rules list` shows those that are."
            )
        settings, past = self._collaborators.settings, timedelta(days=days)
        limits = settings.breakers
        async with asyncio.timeout(_DATABASE_SECONDS):
            modes = {each.rule: each for each in await self._collaborators.rule_modes()}
            async with self._collaborators.database.connection() as connection:
                facts = await self._facts(connection, [each for each in rules if each.ladder], past)
                records = await acted_runs.records(
                    connection, [each.digest for each in rules], limits.demote_within, limits.came_back_within
                )
        if len(facts.looks) > _MOST_LOOKS:
            return problem(
                422,
                f"in {days} days there are more than {_MOST_LOOKS} incidents that rules in shadow looked at",
                "Ask for fewer days, or for one rule.",
            )
        # In a thread: a month of a large fleet is a second of work, for which nothing else may wait.
        reports = await asyncio.to_thread(facts.reports)
        return document(
            {
                "from": (facts.hindsight.now - past).isoformat(),
                "to": facts.hindsight.now.isoformat(),
                "thresholds": settings.shadow.model_dump(mode="json"),
                "demotes": limits.model_dump(
                    mode="json", include={"held", "acted", "demote_within", "came_back_within"}
                ),
                "rules": [_of_rule(each, modes.get(each.rule), records) for each in reports],
            }
        )

    async def _facts(self, connection: Connection, rules: Sequence[Rule], past: timedelta) -> "_Facts":
        now: datetime = await connection.fetchval("select remediator_now()")
        settings = self._collaborators.settings
        digests, names = [each.digest for each in rules], [each.rule for each in rules]
        blind_after = settings.engine.memory_every * UNSEEN_AFTER
        looks = await shadow_runs.of_rules(
            connection, digests, past, settings.shadow.window, blind_after, most=_MOST_LOOKS + 1
        )
        others = await shadow_runs.of_other_versions(connection, digests, past, names)
        verified = await acted_runs.verified_after(connection, names, past)
        tenures: dict[Target, list[WatchedTenure]] = defaultdict(list)
        for each in await shadow_runs.tenures_of(
            connection, sorted({run.target for run in looks}, key=str), past
        ):
            tenures[each.target].append(each)
        return _Facts(rules, looks, others, verified, Hindsight(now, tenures, settings.shadow, blind_after))


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the database knows, and nothing computed from it."""

    rules: Sequence[Rule]
    looks: Sequence[ShadowRun]
    others: Mapping[str, int]
    verified: Mapping[str, Sequence[timedelta]]
    hindsight: Hindsight

    def reports(self) -> list[RuleReport]:
        """Of each rule."""
        looks: dict[str, list[ShadowRun]] = defaultdict(list)
        for each in self.looks:
            looks[each.rule].append(each)
        return [
            rule_report(
                rule,
                looks[rule.rule],
                self.verified.get(rule.rule, ()),
                self.others.get(rule.rule, 0),
                self.hindsight,
            )
            for rule in self.rules
        ]


def _of_rule(report: RuleReport, mode: RuleMode | None, records: Sequence[Record]) -> JsonObject:
    acted = next((each for each in records if each.rule == report.rule), None)
    return {
        **report.to_json(),
        "mode": None if mode is None else mode.configured,
        "effective": None if mode is None else mode.effective,
        "acted": None if acted is None else _of_acted(acted),
    }


def _of_acted(record: Record) -> JsonObject:
    return {**record.to_json(), "held_share": share(record.held, record.known).to_json()}


def _days(request: web.Request) -> int:
    text = request.query.get("days", str(_DAYS))
    if text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= _MOST_DAYS:
        return int(text)
    raise web.HTTPBadRequest(reason=f"days must be a number from 1 to {_MOST_DAYS}; left out, it is {_DAYS}")
