"""The rulebook this process uses, replaced whole or not at all."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from remediator.clock import Clock
from remediator.domain.rule_mode import Cap, RuleMode
from remediator.errors import Permanent
from remediator.planning.modes import modes_of
from remediator.planning.own_rights import OwnRights
from remediator.planning.policy import Policy
from remediator.rulebook.load import Rulebook, load
from remediator.rulebook.match import Matching
from remediator.rulebook.problem import RulebookError
from remediator.rulebook.rule import LoadedRule
from remediator.store import rule_versions
from remediator.store.database import DATABASE_ERRORS, Database
from remediator.telemetry import Metrics

_log = logging.getLogger(__name__)


class RulesInForce:
    """Holds the running rulebook; a bad one is refused and the running one stays."""

    def __init__(
        self,
        paths: Sequence[Path],
        database: Database,
        metrics: Metrics,
        clock: Clock,
        policy: Policy,
        rights: OwnRights | None,
    ) -> None:
        """Without `rights` there is no cluster in which anything could be changed."""
        self._paths = tuple(paths)
        self._database = database
        self._metrics = metrics
        self._clock = clock
        self._policy = policy
        self._rights = rights
        self._rulebook = Rulebook()
        self._matching = Matching(self._rulebook)
        self._loaded_at: datetime | None = None

    @property
    def loaded_at(self) -> datetime | None:
        """When the rules in force were loaded; None before the first time."""
        return self._loaded_at

    def matching(self) -> Matching:
        """What planning matches alerts with now."""
        return self._matching

    def rulebook(self) -> Rulebook:
        """Everything that was loaded last."""
        return self._rulebook

    def rules(self) -> Sequence[LoadedRule]:
        """The rules in force, in their order."""
        return self._rulebook.rules

    async def modes(self) -> list[RuleMode]:
        """How far each rule in force may go, in their order; a namespace may have a lower ceiling."""
        seen = [] if self._rights is None else self._rights.known_everywhere()
        async with self._database.connection() as connection:
            modes = await modes_of(connection, self._rulebook.rules, self._policy, beside=seen)
        return list(modes.values())

    async def mode_in(self, rule: str, namespace: str, *, looks_only: bool = False) -> RuleMode | None:
        """How far a rule may go on targets in a namespace; None when no rule of this name is loaded.

        Raises Retryable when it cannot be told what this process may do there; who `looks_only` need not know that.
        """
        held = [] if looks_only else await self._held_by_rights(namespace)
        found = [each for each in self._rulebook.rules if each.rule == rule]
        async with self._database.connection() as connection:
            return (await modes_of(connection, found, self._policy, namespace, held)).get(rule)

    async def ceiling_in(self, namespace: str) -> Cap:
        """How far anything may go on targets in a namespace, whoever asks for it. Raises as `mode_in` does."""
        return self._policy.ceiling_in(namespace, await self._held_by_rights(namespace))

    async def _held_by_rights(self, namespace: str) -> list[Cap]:
        return [] if self._rights is None else await self._rights.cap(namespace)

    async def reload(self) -> str:
        """Load the files anew and say what is in force. Raises RulebookError with every mistake."""
        try:
            rulebook, matching = await asyncio.to_thread(self._load)
        except RulebookError:
            self._metrics.config_reloaded(False, self._clock.now())
            raise
        async with self._database.transaction() as connection:
            await rule_versions.watched(connection, self._policy.probation)
            await rule_versions.loaded(
                connection, rulebook.rules, self._looking(rulebook), self._policy.probation
            )
        self._rulebook, self._matching = rulebook, matching
        self._loaded_at = self._clock.now()
        self._metrics.config_reloaded(True, self._clock.now())
        sentence = f"{len(rulebook.rules)} rules are in force (rulebook {rulebook.digest[:16]})"
        _log.info("%s", sentence)
        await self.show_modes()
        return sentence

    async def reload_if_possible(self) -> None:
        """The same for whoever cannot be answered: what is wrong stands in the log."""
        try:
            await self.reload()
        except Permanent as mistakes:
            _log.error("the rules were not reloaded, the running ones stay: %s", mistakes.sentence)
        except DATABASE_ERRORS as reason:
            _log.error("the rules were not reloaded, the database does not answer: %s", reason)

    async def watched(self) -> None:
        """Alerts are looked at now with the rules in force: time in which nobody does is no probation."""
        async with self._database.connection() as connection:
            await rule_versions.watched(connection, self._policy.probation)

    async def show_modes(self) -> None:
        """Put each rule's configured and effective mode into the metrics."""
        self._metrics.set_rule_modes(
            {
                each.rule: (each.configured, each.effective, each.held_by or "nothing")
                for each in await self.modes()
            }
        )

    def _looking(self, rulebook: Rulebook) -> list[str]:
        """The versions whose probation goes on: those that look at alerts at all."""
        if self._policy.ceiling == "off":
            return []
        return [each.digest for each in rulebook.rules if each.mode != "off"]

    def _load(self) -> tuple[Rulebook, Matching]:
        rulebook = load(self._paths)
        return rulebook, Matching(rulebook)
