"""Each check can fail: a history that is all right, and for every check some that are not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from tests.chaos.checks import CHECKS, violations
from tests.chaos.history import (
    GUARDS,
    Attempt,
    Episode,
    Expected,
    History,
    Notice,
    Parcel,
    Pause,
    Ready,
    Run,
    Told,
    Verdict,
    Write,
    told,
)
from tests.chaos.reading import read
from tests.support.clock import START
from tests.support.story import ALERT, Story

T0 = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
API = "deployment/shop/api"
ALERTED = Told("f1", "firing", T0, None)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


CLAIM = Write(1, at(9), API, "u1", claim=True, epoch="7", marker=None, before="v2", after="v2")
EFFECT = Write(
    2, at(11), API, "u1", claim=False, epoch="7", marker="1/0/0", before="v2", after="v1", arrived=at(11)
)
EVICTION = Write(3, at(11), "pod/shop/api-1", "p1", claim=False, epoch=None, marker=None, before="", after="")
ATTEMPT = Attempt(
    "1/0/0", None, API, "shop", 1, "rollback", 7, 1, at(10), at(10), "applied", at(12), committed=at(10.5)
)
RUN = Run(1, API, "act", "bad-release", "RESOLVED", at(1), at(100), at(100))
VERDICTS = [Verdict("1/0/0", guard, "allow", at(8)) for guard in sorted(GUARDS["rollback"])]

GOOD = History(
    expected=Expected(faults_ended_at=at(60), good=frozenset({"v1"}), floors={API: 2}),
    now=at(200),
    writes=[CLAIM, EFFECT],
    attempts=[ATTEMPT],
    verdicts=VERDICTS,
    outcomes=[("1/0/0", "applied")],
    audited=[("1/0/0", "intent", None), ("1/0/0", "outcome", "applied")],
    runs=[RUN],
    notices=[Notice(ALERTED, at(2), "opened", 1, at(1))],
    episodes=[Episode(1, "planned", at(90), at(1))],
    outbox=[Parcel("webhook/1", at(13), done=True)],
    acknowledged=[ALERTED],
    ready=[Ready(0, API, 2), Ready(2, API, 3), Ready(2, API, 2)],
)


def changed(which: str, *rows: Any) -> History:
    fields: dict[str, Any] = {which: rows}
    return replace(GOOD, **fields)


def more(which: str, *rows: Any) -> History:
    return changed(which, *getattr(GOOD, which), *rows)


def attempt(**fields: Any) -> History:
    return changed("attempts", replace(ATTEMPT, **fields))


def effect(**fields: Any) -> History:
    return changed("writes", CLAIM, replace(EFFECT, **fields))


def notice(**fields: Any) -> History:
    return changed("notices", replace(GOOD.notices[0], **fields))


def paused(*stretch: datetime | None, scope: str = "everything", value: str = "") -> History:
    began, ended = stretch
    assert began is not None
    return changed("pauses", Pause(scope, value, began, ended))


def of_runs(*seconds: float) -> list[tuple[Attempt, Write]]:
    """Attempts of a run each, and their effects, at these moments."""
    return [
        (
            replace(ATTEMPT, marker=f"{number}/0/0", run_id=number, intended_at=at(when)),
            replace(EFFECT, sequence=number, at=at(when), marker=f"{number}/0/0"),
        )
        for number, when in enumerate(seconds, 10)
    ]


def with_effects_at(*seconds: float, namespaces: int = 1) -> History:
    writes = [
        replace(each, target=f"deployment/shop-{number % namespaces}/api")
        for number, (_, each) in enumerate(of_runs(*seconds))
    ]
    return changed("writes", *writes)


BAD: list[tuple[str, History, str]] = [
    ("C1", more("writes", replace(EFFECT, sequence=3)), "has 2 effects"),
    ("C1", changed("writes", EVICTION, replace(EVICTION, sequence=4)), "p1 has 2 effects"),
    ("C2", changed("attempts"), "has no intent"),
    ("C2", attempt(intended_at=at(12)), "its effect of"),
    ("C2", attempt(committed=at(11.2)), "after its effect"),
    ("C2", effect(epoch="8"), "carries epoch 8"),
    ("C2", effect(marker=None), "has no intent"),
    ("C3", more("runs", replace(RUN, id=2, created_at=at(99))), "at the same time"),
    (
        "C3",
        changed("runs", replace(RUN, ended_at=None), replace(RUN, id=2, created_at=at(150))),
        "runs 1 and 2",
    ),
    (
        "C3",
        changed("runs", replace(RUN, state="UNKNOWN"), replace(RUN, id=2, created_at=at(150))),
        "runs 1 and 2",
    ),
    ("C4", with_effects_at(0, 300, 599), "more than 2 effects"),
    ("C4", with_effects_at(0, 1, 2, 3, 4, 599, namespaces=6), "more than 5 effects"),
    ("C5", paused(at(9.9), None), "the intent 1/0/0 was made"),
    ("C5", paused(at(9.9), at(20), scope="namespace", value="shop"), "was sent in"),
    ("C5", paused(at(9.9), at(20), scope="target", value=API), "was sent in"),
    ("C5", paused(at(9.9), at(20), scope="rule", value="bad-release"), "was sent in"),
    (
        "C5",
        replace(effect(at=at(50)), pauses=[Pause("everything", "", at(10.5), None)]),
        "the effect 1/0/0 came",
    ),
    *(
        ("C6", changed("verdicts", *(each for each in VERDICTS if each is not left_out)), left_out.guard)
        for left_out in VERDICTS
    ),
    ("C6", attempt(action="restart"), "carries no answer of restart_loop"),
    ("C6", changed("verdicts", *VERDICTS, Verdict("1/0/0", "owner", "refuse", at(8))), "owner said refuse"),
    ("C6", changed("verdicts", *VERDICTS, Verdict("1/0/0", "owner", "unknown", at(8))), "owner said unknown"),
    ("C6", changed("verdicts", *VERDICTS, Verdict("1/0/0", "owner", "ask", at(8))), "owner said ask"),
    ("C6", changed("verdicts", *VERDICTS, Verdict("1/0/0", "owner", "allow", at(-9))), "was 0:00:19 old"),
    ("C6", changed("verdicts", *VERDICTS, Verdict("1/0/0", "owner", "allow", None)), "nobody knows how old"),
    ("C7", changed("notices"), "acknowledged and not stored"),
    ("C7", notice(told=Told("f1", "firing", at(1), None)), "acknowledged and not stored"),
    ("C7", notice(read_at=None), "never read"),
    ("C7", notice(disposition=None), "never read"),
    ("C7", changed("episodes"), "nothing was decided"),
    ("C7", changed("episodes", Episode(1, None, None, at(1))), "nothing was decided"),
    ("C8", more("writes", replace(CLAIM, sequence=3, epoch="6")), "came after one under 7"),
    ("C8", more("writes", replace(CLAIM, sequence=3)), "a claim under epoch 7"),
    ("C8", effect(epoch=None), "an effect under epoch 0"),
    ("C9", attempt(outcome=None), "never recorded"),
    ("C9", attempt(outcome="not_applied"), "is recorded as not_applied"),
    ("C9", attempt(outcome="converged"), "is recorded as converged"),
    ("C9", changed("writes", CLAIM), "had no effect"),
    ("C9", changed("outcomes"), "tells 0 times"),
    ("C9", changed("outcomes", *GOOD.outcomes, *GOOD.outcomes), "tells 2 times"),
    ("C9", more("outcomes", ("1/0/0", "not_applied")), "was not_applied, which no attempt says"),
    ("C9", more("outcomes", ("2/0/0", "applied")), "that 2/0/0 was applied, which no attempt says"),
    ("C9", changed("attempts"), "no record is of"),
    ("C9", changed("audited", GOOD.audited[0]), "exactly one record ('1/0/0', 'outcome', 'applied')"),
    ("C9", changed("audited", GOOD.audited[1]), "exactly one record ('1/0/0', 'intent', None)"),
    ("C9", more("audited", GOOD.audited[0]), "exactly one record ('1/0/0', 'intent', None)"),
    ("C9", more("audited", ("2/0/0", "intent", None)), "of nothing"),
    ("C10", effect(after="v3"), "not known to be good"),
    ("C11", more("ready", Ready(2, API, 1)), "only 1 pods"),
    ("C11", changed("ready", Ready(0, API, 1), Ready(2, API, 0)), "1 before it"),
    ("C12", notice(read_at=at(121)), "read only at"),
    ("C12", changed("runs", replace(RUN, state="APPROVED", ended_at=None)), "nobody works at it"),
    ("C12", changed("outbox", Parcel("webhook/1", at(13), done=False)), "was not delivered"),
    ("C12", replace(GOOD, now=at(119)), "nothing can be said"),
]

ALL_RIGHT: list[History] = [
    GOOD,
    more("runs", replace(RUN, id=2, created_at=at(100))),
    more("runs", replace(RUN, id=2, created_at=at(50), mode="shadow")),
    replace(GOOD, pauses=[Pause("everything", "", at(10.1), None)]),
    replace(GOOD, pauses=[Pause("namespace", "other", at(9), None)]),
    replace(GOOD, pauses=[Pause("everything", "", at(1), at(9))]),
    replace(GOOD, pauses=[Pause("everything", "", at(-90), at(9.5))]),
    changed("verdicts", *VERDICTS, Verdict("1/0/0", "owner", "ask", at(8), agreed=True)),
    replace(effect(after="v2", stamp="2026"), outcomes=GOOD.outcomes),
    replace(
        changed("writes", CLAIM, EVICTION),
        attempts=[replace(ATTEMPT, pod_uid="p1")],
    ),
    changed("ready", Ready(0, API, 1), Ready(2, API, 1)),
    changed("runs", replace(RUN, state="ACTED", ended_at=None, due_at=at(190))),
    replace(
        attempt(outcome="applied_then_changed"),
        outcomes=[("1/0/0", "applied_then_changed")],
        audited=[("1/0/0", "intent", None), ("1/0/0", "outcome", "applied_then_changed")],
    ),
]


@pytest.mark.parametrize(("check", "history", "said"), BAD)
def test_a_check_finds_what_it_is_there_for(check: str, history: History, said: str) -> None:
    assert any(said in each for each in CHECKS[check](history)), list(CHECKS[check](history))


@pytest.mark.parametrize("history", ALL_RIGHT)
def test_nothing_is_found_where_all_is_right(history: History) -> None:
    assert violations(history) == []


def test_every_check_has_a_history_that_it_refuses() -> None:
    assert [each for each in CHECKS if each not in {check for check, _, _ in BAD}] == []


async def test_a_whole_story_is_read_and_found_all_right(story: Story, database_url: str) -> None:
    """The rows and the log as they really are; and with one effect too many they are found wrong."""
    await story.bad_release()
    good = frozenset({Write.of(story.emulator.effects[-1]).before})
    posted = story.alertmanager
    await story.fire()
    acknowledged = [each for due in posted.notifications() for each in told(due)]
    await story.let(60)
    await story.resolve()
    await story.let(3 * 60)
    expected = Expected(faults_ended_at=START, good=good, floors={API: 2})
    connection = await asyncpg.connect(database_url)
    try:
        history = await read(connection, story.emulator.effects, acknowledged, expected)
        doubled = [*story.emulator.effects, next(_ours(story))]
        twice = await read(connection, doubled, acknowledged, expected)
    finally:
        await connection.close()
    assert [each.marker for each in history.effects] == ["1/0/0"]
    assert len(history.acknowledged) == len(history.notices) - 1 == 2, ALERT
    assert violations(history) == []
    assert [each.partition(":")[0] for each in violations(twice)] == ["C1"]


def _ours(story: Story) -> Any:
    return (
        each for each in story.emulator.effects if each.user == "remediator" and each.after and not each.claim
    )
