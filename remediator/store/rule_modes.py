"""The mode of each rule as people were last told of it."""

from collections.abc import Sequence

from remediator.domain.rule_mode import RuleMode, is_disarmed
from remediator.domain.run_view import Mode
from remediator.domain.value import Value
from remediator.redaction.text import redact
from remediator.store.database import Connection


class ToldMode(Value):
    """What was last said of one rule."""

    configured: Mode
    effective: Mode

    @property
    def disarmed(self) -> bool:
        return is_disarmed(self.configured, self.effective)


async def locked(connection: Connection) -> dict[str, ToldMode]:
    """What was last said of every rule; nobody else says anything until the end of the transaction."""
    await connection.execute("select pg_advisory_xact_lock(hashtextextended('rule_modes', 0))")
    rows = await connection.fetch("select rule, configured, effective from rule_modes")
    return {row["rule"]: ToldMode(configured=row["configured"], effective=row["effective"]) for row in rows}


async def say(connection: Connection, modes: Sequence[RuleMode]) -> None:
    """Remember these as said."""
    for each in modes:
        await connection.execute(
            """insert into rule_modes (rule, configured, effective, why) values ($1, $2, $3, $4)
               on conflict (rule) do update set configured = excluded.configured, why = excluded.why,
                   effective = excluded.effective, changed_at = excluded.changed_at""",
            each.rule,
            each.configured,
            each.effective,
            redact(each.why),
        )


async def forget(connection: Connection, rules: Sequence[str]) -> None:
    """Nothing counts as said of these any more: one that comes back is told anew.

    The daemon's user may delete nothing, so that they are kept as rules in mode off.
    """
    await connection.execute(
        """update rule_modes set configured = 'off', effective = 'off', why = 'it is not loaded'
           where rule = any($1::text[]) and configured <> 'off'""",
        list(rules),
    )
