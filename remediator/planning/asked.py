"""Runs that people ask for: a rule started by name, and the undoing of an earlier run.

The same journal, guards and budgets as for a run that an alert made, and the same lock of the target.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import asyncpg

from remediator.domain.answers import Refusal
from remediator.domain.asked import NotStarted, Started
from remediator.domain.change import nothing_to_undo
from remediator.domain.run_view import MODES, Mode, TriggerPerson
from remediator.domain.target import Target
from remediator.planning.modes import modes_of
from remediator.planning.policy import Policy
from remediator.planning.resolve import Resolver
from remediator.rulebook.load import Rulebook
from remediator.rulebook.rule import Rule
from remediator.run import Run
from remediator.store import attempts, incidents, interventions, journal, runs
from remediator.store.database import Connection, Database

_NOTHING = "Nothing was started."


class _Wanted(NamedTuple):
    """A run that may be made, if nothing holds its target."""

    rule: Rule
    mode: Mode
    target: Target
    trigger: TriggerPerson
    depends_on: tuple[str, ...]
    title: str
    """Of the incident, where there is none."""
    text: str
    """For the journal: what the run is."""


class AskedRuns:
    """Makes the runs. Who may ask is decided before."""

    def __init__(
        self, database: Database, resolver: Resolver, rulebook: Callable[[], Rulebook], policy: Policy
    ) -> None:
        self._database = database
        self._resolver = resolver
        self._rulebook = rulebook
        self._policy = policy

    async def start(
        self, rule_name: str, target: str, mode: Mode | None, who: str, why: str
    ) -> Started | NotStarted:
        """A run of a loaded rule on `kind/namespace/name`, which has to exist.

        Without `mode` it has the rule's effective one. Raises ValueError when `target` names nothing.
        """
        rulebook = self._rulebook()
        rule = next((each for each in rulebook.rules if each.rule == rule_name), None)
        if rule is None:
            hint = "GET /api/v1/rules lists them."
            return NotStarted(because="no_such_thing", why=f"no rule called {rule_name} is loaded", hint=hint)
        named = await self._resolver.named(Target.parse(target, self._policy.cluster), rulebook.targets)
        if isinstance(named, Refusal):
            because, hint = ("not_now", "Ask again.") if named.passing else ("no_such_thing", _NOTHING)
            return NotStarted.model_validate({"because": because, "why": named.why, "hint": hint})
        async with self._database.connection() as connection:
            modes = await modes_of(connection, [rule], self._policy, named.target.namespace)
            now: datetime = await connection.fetchval("select remediator_now()")
        ceiling = self._policy.ceiling_in(named.target.namespace).mode
        chosen = mode_for(mode, modes[rule_name].effective, ceiling)
        if isinstance(chosen, NotStarted):
            return chosen
        return await self._make(
            _Wanted(
                rule=rule,
                mode=chosen,
                target=named.target,
                trigger=TriggerPerson(who=who, why=why, at=now),
                depends_on=named.depends_on,
                title=f"{who} started {rule_name}: {why}",
                text=f"rule {rule_name} in mode {chosen}, started by {who}: {why}",
            )
        )

    async def undo(self, run_id: int, who: str, why: str) -> Started | NotStarted:
        """A run that takes back what run `run_id` changed, as far as the daemon's ceiling lets anything act."""
        async with self._database.connection() as connection:
            run = await runs.find(connection, run_id)
            if run is None:
                return _no_run(run_id)
            refused = await _cannot_be_undone(connection, run)
            now: datetime = await connection.fetchval("select remediator_now()")
        if refused is not None:
            return refused
        mode = self._policy.ceiling_in(run.target.namespace).mode
        if mode == "off":
            return _ceiling_is_off()
        return await self._make(
            _Wanted(
                rule=run.rule,
                mode=mode,
                target=run.target,
                trigger=TriggerPerson(who=who, why=why, at=now, undo_of=run_id),
                depends_on=run.depends_on,
                title=f"{who} undoes run {run_id}: {why}",
                text=f"undoes run {run_id} in mode {mode}, asked for by {who}: {why}",
            )
        )

    async def _make(self, wanted: _Wanted) -> Started | NotStarted:
        try:
            async with self._database.transaction() as connection:
                return await self._make_within(connection, wanted)
        except asyncpg.UniqueViolationError:
            why = f"another run took {wanted.target} at this very moment"
            return NotStarted(because="refused", why=why, hint="`remediator runs list` shows it.")

    async def _make_within(self, connection: Connection, wanted: _Wanted) -> Started | NotStarted:
        target, undoes = wanted.target, wanted.trigger.undo_of
        subject = f"{target.cluster}/{target}"
        await incidents.lock(connection, subject)
        if wanted.mode != "shadow":
            held = await self._held(connection, wanted)
            if held is not None:
                return held
        incident_id, is_new = await incidents.attach(
            connection,
            subject=subject,
            title=wanted.title,
            cluster=target.cluster,
            target=target,
            severity=None,
        )
        if is_new:
            opened = f"opened by {wanted.trigger.who}"
            await journal.append(connection, "incident", opened, incident_id=incident_id)
        run_id = await runs.create(
            connection,
            incident_id=incident_id,
            rule=wanted.rule,
            mode=wanted.mode,
            target=target,
            trigger=wanted.trigger,
            depends_on=wanted.depends_on,
        )
        details = wanted.trigger.to_json()
        text = f"run {run_id}: {wanted.text}"
        await journal.append(connection, "planned", text, details, incident_id=incident_id, run_id=run_id)
        if undoes is not None:
            text = f"{wanted.trigger.who} asked to undo this, which is run {run_id}: {wanted.trigger.why}"
            await journal.append(connection, "asked", text, details, run_id=undoes)
        return Started(run=run_id, incident_id=incident_id, mode=wanted.mode, says=_says(run_id, wanted))

    async def _held(self, connection: Connection, wanted: _Wanted) -> NotStarted | None:
        """What keeps a run from being made on the target now."""
        last = await runs.last_on(connection, wanted.target)
        if last is None:
            return None
        undoes = wanted.trigger.undo_of
        if last.holds:
            if last.id == undoes and await interventions.give_up_verifying(connection, wanted.trigger):
                return None
            return NotStarted(
                because="refused",
                why=f"run {last.id}, which is {last.state}, holds {wanted.target}",
                hint=_how_to_free(last.id, last.state),
            )
        now: datetime = await connection.fetchval("select remediator_now()")
        settled_at = (last.ended_at or now) + self._policy.settle
        if undoes is not None or settled_at <= now:
            return None
        why = f"{wanted.target} has to settle after run {last.id}, which ended {last.state}"
        hint = f"Ask again after {settled_at:%H:%M:%S} UTC. To take its changes back: remediator runs undo {last.id}"
        return NotStarted(because="refused", why=why, hint=hint)


def mode_for(asked: Mode | None, effective: Mode, ceiling: Mode) -> Mode | NotStarted:
    """The mode of a run that a person starts. Pure.

    Nobody is surprised: without a word the run does what the rule would do by itself. A person may ask for less, or
    for `ask`, where somebody agrees to the very change; to act unasked is for the rule itself to have earned.
    """
    if ceiling == "off":
        return _ceiling_is_off()
    if asked is None and effective == "off":
        why = "the rule is in mode off"
        return NotStarted(because="refused", why=why, hint="Say --mode shadow for a preview, or --mode ask.")
    if asked is None:
        return effective
    most: Mode = "act" if effective == "act" else min("ask", ceiling, key=MODES.index)
    if MODES.index(asked) <= MODES.index(most):
        return asked
    why = f"the rule is effectively in mode {effective}, and the daemon's ceiling is {ceiling}"
    hint = f"It can be started with --mode {most}" + (", which is a preview." if most == "shadow" else ".")
    return NotStarted(because="refused", why=f"it cannot be started in mode {asked}: {why}", hint=hint)


async def _cannot_be_undone(connection: Connection, run: Run) -> NotStarted | None:
    """Why there is nothing of this run that could be taken back, as the database knows it."""
    tried = await attempts.of_run(connection, run.id)
    if any(each.outcome in (None, "unknown") for each in tried):
        why = f"whether run {run.id} changed anything is not known yet"
        return NotStarted(because="refused", why=why, hint=_how_to_free(run.id, run.state))
    nothing = nothing_to_undo([each.change for each in tried if each.outcome == "applied"])
    if nothing is not None:
        hint = f"`remediator runs show {run.id}` tells what it did."
        return NotStarted(because="refused", why=f"run {run.id}: {nothing}", hint=hint)
    by = await interventions.undone_by(connection, run.id)
    if by is not None:
        hint = f"To put back what it had changed: remediator runs undo {by}"
        return NotStarted(because="refused", why=f"run {by} has undone run {run.id} already", hint=hint)
    return None


def _how_to_free(run_id: int, state: str) -> str:
    if state == "UNKNOWN":
        look = "Look at the workload, then say what you found:"
        return f"{look} remediator runs settle {run_id} --applied, or --not-applied"
    return f"See `remediator runs show {run_id}`; `remediator runs cancel {run_id}` ends what has changed nothing yet."


def _says(run_id: int, wanted: _Wanted) -> str:
    show = f"`remediator runs show {run_id}` tells how it goes"
    if wanted.mode == "shadow":
        return f"run {run_id} is a preview and changes nothing: {show}."
    if wanted.trigger.undo_of is not None:
        return (
            f"run {run_id} would undo run {wanted.trigger.undo_of}: `remediator runs approve {run_id}` shows exactly "
            "what would be put back, and asks whether you agree."
        )
    if wanted.mode == "ask":
        return f"run {run_id} looks, and then waits until somebody agrees with `remediator runs approve {run_id}`."
    return f"run {run_id} looks, and acts if every guard allows it: {show}."


def _no_run(run_id: int) -> NotStarted:
    hint = "`remediator runs list` shows those there are."
    return NotStarted(because="no_such_thing", why=f"there is no run {run_id}", hint=hint)


def _ceiling_is_off() -> NotStarted:
    hint = "The setting `ceiling` says how far anything may go, as does intake.insecure."
    return NotStarted(because="refused", why="the daemon's ceiling is off: nothing is started", hint=hint)
