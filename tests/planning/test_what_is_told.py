"""What is kept of the bids with a run says why it was chosen, and stays small however many alerts there are."""

from pathlib import Path

from tests.support.clock import DrivenClock
from tests.support.story import ALERT, ROLLBACK, told

ALERTS, RULES = 30, 60
_RULE = ROLLBACK.partition("rules:")[2].replace(
    "    actions:", "    priority: {n}\n    wait: 1m\n    actions:"
)
MANY = "rules:" + "".join(
    _RULE.replace("{n}", f"{n}").replace("bad-release", f"rule-{n}") for n in range(RULES)
)
ONE_MORE = _RULE.replace("{n}", "900").replace("bad-release", "watching").replace("mode: act", "mode: shadow")


async def test_of_each_rule_one_bid_is_kept_with_the_number_of_its_alerts_and_of_many_rules_the_first(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, MANY + ONE_MORE) as story:
        await story.bad_release()
        for each in range(ALERTS):
            story.alertmanager.fire({**ALERT, "pod": f"api-{each}"})
        await story.deliver()
        await story.let(75)
        async with story.daemon.database.connection() as connection:
            rows = await connection.fetch(
                "select text, details from journal where kind = 'planned' order by id"
            )
    kept = {row["text"].partition("rule ")[2].partition(" ")[0]: row["details"] for row in rows}
    first = [f"rule-{each}" for each in range(50)]
    assert [each["rule"] for each in kept["rule-0"]["bids"]] == first
    assert {each["alerts"] for each in kept["rule-0"]["bids"]} == {ALERTS}
    assert kept["rule-0"]["rules_left_out"] == 11
    assert [each["rule"] for each in kept["watching"]["bids"]] == [*first, "watching"], (
        "its own is among them"
    )
    assert kept["watching"]["rules_left_out"] == 10
