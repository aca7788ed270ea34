"""The rulebook this process uses, replaced whole or not at all."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from remediator.clock import Clock
from remediator.planning.choose import effective_mode
from remediator.planning.policy import Policy
from remediator.rulebook.load import Rulebook, load
from remediator.rulebook.match import Matching
from remediator.rulebook.problem import RulebookError
from remediator.rulebook.rule import Rule
from remediator.store import rule_versions
from remediator.store.database import Database
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
    ) -> None:
        self._paths = tuple(paths)
        self._database = database
        self._metrics = metrics
        self._clock = clock
        self._policy = policy
        self._rulebook = Rulebook()
        self._matching = Matching(self._rulebook)

    def matching(self) -> Matching:
        """What planning matches alerts with now."""
        return self._matching

    def rulebook(self) -> Rulebook:
        """Everything that was loaded last."""
        return self._rulebook

    def rules(self) -> Sequence[Rule]:
        """The rules in force, in their order."""
        return self._rulebook.rules

    async def reload(self) -> str:
        """Load the files anew and say what is in force. Raises RulebookError with every mistake."""
        try:
            rulebook, matching = await asyncio.to_thread(self._load)
        except RulebookError:
            self._metrics.config_reloaded(False, self._clock.now())
            raise
        async with self._database.transaction() as connection:
            await rule_versions.saw(connection, rulebook.rules)
        self._rulebook, self._matching = rulebook, matching
        self._metrics.config_reloaded(True, self._clock.now())
        sentence = f"{len(rulebook.rules)} rules are in force (rulebook {rulebook.digest[:16]})"
        _log.info("%s", sentence)
        await self.show_modes()
        return sentence

    async def show_modes(self) -> None:
        """Put each rule's configured and effective mode into the metrics."""
        modes = {}
        async with self._database.connection() as connection:
            for rule in self._rulebook.rules:
                may_act = await rule_versions.may_act(connection, rule, self._policy.probation)
                modes[rule.rule] = (rule.mode, effective_mode(rule, self._policy.ceiling, may_act))
        self._metrics.set_rule_modes(modes)

    def _load(self) -> tuple[Rulebook, Matching]:
        rulebook = load(self._paths)
        return rulebook, Matching(rulebook)
