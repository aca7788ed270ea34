"""The rule that made the run must still say what it said, and still be let go as far."""

from datetime import datetime

from remediator.domain.answers import GuardVerdict
from remediator.domain.rule_mode import Cap, RuleMode
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import TargetGuard


class RuleInForce(TargetGuard):
    """Refuses once the rule was removed or changed, or is held lower than the run needs, since it was planned.

    A run in mode act whose rule may only ask by now asks. A run in shadow changes nothing: of that one only
    the rule is looked at, not the mode. A person who has somebody agree (mode ask) is held to the ceilings alone, and
    one who undoes a run needs no rule any more.
    """

    async def on_target(self, run: RunView, kit: Kit) -> GuardVerdict:
        if run.asked_by is not None and run.asked_by.undo_of is not None:
            ceiling = await kit.rules.ceiling_in(run.target.namespace)
            return self._held(run, ceiling, "what a person asks for")
        looks_only = run.mode == "shadow"
        found = await kit.rules.mode_in(run.rule, run.target.namespace, looks_only=looks_only)
        if found is None or found.digest != run.rule_digest:
            return self._not_the_same(run, found, kit.rules.loaded_at)
        if looks_only:
            return self.allow(f"rule {run.rule} is still the one that made this run", _inputs(run, found))
        agreed = run.asked_by is not None and run.mode == "ask"
        held = Cap(mode=found.effective, why=found.why)
        if agreed:
            held = await kit.rules.ceiling_in(run.target.namespace)
        return self._held(run, held, f"rule {run.rule}").model_copy(update={"inputs": _inputs(run, found)})

    def _not_the_same(self, run: RunView, found: RuleMode | None, loaded_at: datetime | None) -> GuardVerdict:
        if loaded_at is None or run.created_at > loaded_at:
            # Replicas reload one after the other: this one may be the last.
            why = f"another replica planned this by a version of rule {run.rule} that is not loaded here"
            return self.refuse(why, _inputs(run, found), passing=True)
        gone = "is not loaded any more" if found is None else "was changed since this run was planned"
        return self.refuse(f"rule {run.rule} {gone}", _inputs(run, found), plan_again=True)

    def _held(self, run: RunView, held: Cap, who: str) -> GuardVerdict:
        if held.mode in ("off", "shadow") and run.mode != "shadow":
            return self.refuse(f"{who} is in mode {held.mode} now: {held.why}")
        if held.mode == "ask" and run.mode == "act":
            return self.ask(f"{who} may only ask now: {held.why}")
        return self.allow(f"{who} may go as far as {held.mode}")


def _inputs(run: RunView, found: RuleMode | None) -> dict[str, str | None]:
    return {
        "planned_by": run.rule_digest,
        "in_force": found.digest if found is not None else None,
        "needed": run.mode,
        "effective": found.effective if found is not None else None,
    }
