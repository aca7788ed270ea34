"""What must be true of every history, whatever broke on the way. Each check yields a sentence for each violation."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from tests.chaos.history import Attempt, History, Pause, Write

Check = Callable[[History], Iterator[str]]

_CHANGED = ("applied", "applied_then_changed")
_MAY_HAVE_CHANGED = (*_CHANGED, "unknown", "superseded", "target_replaced")
_ENDINGS = ("RESOLVED", "BLOCKED", "SHADOWED", "DECLINED", "CANCELLED", "ESCALATED", "UNKNOWN")
_AFTER_A_PAUSE = timedelta(seconds=2 + 34)
"""Two seconds until the last write begins, and as long as an API server works on one."""


def an_intent_has_at_most_one_effect(history: History) -> Iterator[str]:
    for key, times in Counter(each.key for each in history.effects).items():
        if times > 1:
            yield f"the intent {key} has {times} effects"


def an_intent_of_the_same_epoch_comes_before_its_effect(history: History) -> Iterator[str]:
    for effect in history.effects:
        attempt = history.attempt_of(effect)
        if attempt is None:
            yield f"the effect {effect.key} on {effect.target} has no intent"
            continue
        if attempt.intended_at > effect.at:
            yield f"the intent {effect.key} is of {attempt.intended_at}, its effect of {effect.at}"
        if attempt.committed and effect.arrived and attempt.committed > effect.arrived:
            yield f"the intent {effect.key} was committed {attempt.committed - effect.arrived} after its effect"
        if effect.epoch is not None and effect.epoch != str(attempt.epoch):
            yield f"the effect {effect.key} carries epoch {effect.epoch}, its intent {attempt.epoch}"


def active_runs_of_one_target_do_not_overlap(history: History) -> Iterator[str]:
    by_target = defaultdict(list)
    for run in history.runs:
        if run.mode != "shadow":
            over = run.ended_at if run.ended_at and run.state != "UNKNOWN" else None
            by_target[run.target].append((run.created_at, run.id, over))
    for target, stretches in by_target.items():
        stretches.sort(key=lambda each: each[:2])
        for (_, earlier, over), (began, later, _) in itertools.pairwise(stretches):
            if over is None or over > began:
                yield f"the runs {earlier} and {later} hold {target} at the same time"


def effects_stay_within_the_budgets(history: History) -> Iterator[str]:
    expected = history.expected
    everywhere = [(effect.at, "everywhere") for effect in history.effects]
    namespaces = [(effect.at, effect.target.split("/")[1]) for effect in history.effects]
    for happened, most in ((everywhere, expected.everywhere), (namespaces, expected.in_namespace)):
        by_scope = defaultdict(list)
        for at, scope in happened:
            by_scope[scope].append(at)
        for scope, moments in by_scope.items():
            for first, last in zip(sorted(moments), sorted(moments)[most:], strict=False):
                if last - first < expected.window:
                    yield f"more than {most} effects within {expected.window} ({scope}), from {first} on"


def nothing_begins_after_a_pause(history: History) -> Iterator[str]:
    for pause in history.pauses:
        for attempt in history.attempts:
            if not _covers(pause, attempt, history):
                continue
            if _within(pause, attempt.intended_at):
                yield f"the intent {attempt.marker} was made in {pause}"
            if attempt.sent_at is not None and _within(pause, attempt.sent_at):
                yield f"{attempt.marker} was sent in {pause}"
        for effect in history.effects:
            of = history.attempt_of(effect)
            late = pause.starts_at + _AFTER_A_PAUSE < effect.at
            if of and _covers(pause, of, history) and late and _within(pause, effect.at):
                yield f"the effect {effect.key} came {effect.at - pause.starts_at} after {pause}"


def _within(pause: Pause, at: datetime) -> bool:
    return pause.starts_at < at and (pause.ended_at is None or at < pause.ended_at)


def _covers(pause: Pause, attempt: Attempt, history: History) -> bool:
    rule = next((each.rule for each in history.runs if each.id == attempt.run_id), "")
    named = {"namespace": attempt.namespace, "target": attempt.target, "rule": rule}
    return pause.scope == "everything" or named[pause.scope] == pause.value


def every_guard_allowed_each_intent_from_fresh_facts(history: History) -> Iterator[str]:
    expected = history.expected
    for attempt in history.attempts:
        of_it = [each for each in history.verdicts if each.marker == attempt.marker]
        missing = expected.guards[attempt.action] - {each.guard for each in of_it}
        if missing:
            yield f"the intent {attempt.marker} carries no answer of {', '.join(sorted(missing))}"
        for each in of_it:
            if each.answer != "allow" and not (each.answer == "ask" and each.agreed):
                yield f"the intent {attempt.marker} was made although {each.guard} said {each.answer}"
            if each.observed_at is None:
                yield f"nobody knows how old the answer of {each.guard} for {attempt.marker} is"
            elif attempt.intended_at - each.observed_at > expected.fresh_within:
                old = attempt.intended_at - each.observed_at
                yield f"the answer of {each.guard} for {attempt.marker} was {old} old"


def what_was_acknowledged_is_stored_and_disposed(history: History) -> Iterator[str]:
    stored = {each.told for each in history.notices}
    for told in history.acknowledged:
        if told not in stored:
            yield f"acknowledged and not stored: {told}"
    disposed = {each.id for each in history.episodes if each.disposition is not None or each.closed_at}
    for notice in history.notices:
        if notice.read_at is None or notice.disposition is None:
            yield f"stored and never read: {notice.told}"
        elif notice.episode is not None and notice.episode not in disposed:
            yield f"nothing was decided about episode {notice.episode} of {notice.told}"


def epochs_on_the_server_only_grow(history: History) -> Iterator[str]:
    """Of our own writes: controllers copy annotations, and others may restore old ones."""
    highest: dict[str, int] = {}
    for each in history.writes:
        if each.target.startswith("pod/"):
            continue
        epoch, before = int(each.epoch or 0), highest.get(each.uid, 0)
        if epoch < before or (each.claim and epoch == before):
            what = "a claim" if each.claim else "an effect"
            yield f"{what} under epoch {epoch} of {each.target} came after one under {before}"
        highest[each.uid] = max(before, epoch)


def effects_and_their_records_are_one_to_one(history: History) -> Iterator[str]:
    made = Counter(each.key for each in history.effects)
    for attempt in history.attempts:
        effects = made[attempt.key]
        if attempt.outcome is None:
            yield f"what became of {attempt.marker} was never recorded"
        elif effects and attempt.outcome not in _MAY_HAVE_CHANGED:
            yield f"{attempt.marker} had an effect and is recorded as {attempt.outcome}"
        elif not effects and attempt.outcome in _CHANGED:
            yield f"{attempt.marker} is recorded as {attempt.outcome} and had no effect"
    known = {each.key for each in history.attempts}
    for key in made:
        if key not in known:
            yield f"no record is of the effect {key}"
    yield from _told(history)
    yield from _audited(history)


def _told(history: History) -> Iterator[str]:
    lines = Counter(history.outcomes)
    wanted = {(each.marker, each.outcome) for each in history.attempts if each.outcome is not None}
    for marker, outcome in sorted({*wanted, *lines}):
        times = lines[marker, outcome]
        if (marker, outcome) not in wanted:
            yield f"the journal tells {times} times that {marker} was {outcome}, which no attempt says"
        elif times != 1:
            yield f"the journal tells {times} times that {marker} was {outcome}"


def _audited(history: History) -> Iterator[str]:
    kept = Counter(history.audited)
    for attempt in history.attempts:
        wanted: list[tuple[str, str, str | None]] = [(attempt.marker, "intent", None)]
        if attempt.outcome is not None:
            wanted.append((attempt.marker, "outcome", attempt.outcome))
        for each in wanted:
            if kept.pop(each, 0) != 1:
                yield f"the audit does not hold exactly one record {each}"
    for each in kept:
        yield f"the audit holds a record {each} of nothing"


def what_is_gone_to_is_known_good(history: History) -> Iterator[str]:
    for effect in history.effects:
        if effect.target.startswith("pod/") or effect.after == effect.before:
            continue  # an eviction, or a restart
        if effect.after not in (history.expected.good or frozenset()):
            yield f"the effect {effect.key} set a version that is not known to be good: {effect.after}"


def ready_pods_stay_above_the_floor(history: History) -> Iterator[str]:
    for target, floor in history.expected.floors.items():
        ours = [each.sequence for each in history.effects if _of(each, target)]
        if not ours:
            continue
        before, least = 0, floor
        for sample in history.ready:
            if sample.target != target:
                continue
            if sample.sequence < ours[0]:
                before = sample.pods
                least = min(before, floor)
            elif sample.pods < least:
                yield f"only {sample.pods} pods of {target} were ready after our change, {before} before it"


def _of(effect: Write, target: str) -> bool:
    _, namespace, name = target.split("/")
    return effect.target == target or effect.target.startswith(f"pod/{namespace}/{name}-")


def everything_goes_on_when_faults_have_ended(history: History) -> Iterator[str]:
    by = history.expected.faults_ended_at + history.expected.lively_within
    if history.now < by:
        yield f"it was looked at {history.now}, before {by}: nothing can be said"
        return
    for notice in history.notices:
        late = max(by, notice.last_received_at + history.expected.lively_within)
        if notice.read_at is not None and notice.read_at > late:
            yield f"{notice.told} was read only at {notice.read_at}"
    yield from _stuck(history)


def _stuck(history: History) -> Iterator[str]:
    long_ago = history.now - history.expected.lively_within
    for run in history.runs:
        if run.state in _ENDINGS:
            continue
        if run.due_at < long_ago:
            yield f"run {run.id} is {run.state}, was due at {run.due_at} and nobody works at it"
    for parcel in history.outbox:
        if not parcel.done and parcel.created_at < long_ago:
            yield f"the notice {parcel.key} of {parcel.created_at} was not delivered"


CHECKS: dict[str, Check] = {
    "C1": an_intent_has_at_most_one_effect,
    "C2": an_intent_of_the_same_epoch_comes_before_its_effect,
    "C3": active_runs_of_one_target_do_not_overlap,
    "C4": effects_stay_within_the_budgets,
    "C5": nothing_begins_after_a_pause,
    "C6": every_guard_allowed_each_intent_from_fresh_facts,
    "C7": what_was_acknowledged_is_stored_and_disposed,
    "C8": epochs_on_the_server_only_grow,
    "C9": effects_and_their_records_are_one_to_one,
    "C10": what_is_gone_to_is_known_good,
    "C11": ready_pods_stay_above_the_floor,
    "C12": everything_goes_on_when_faults_have_ended,
}


def violations(history: History) -> list[str]:
    """What every check found, with its number."""
    return [f"{name}: {found}" for name, check in CHECKS.items() for found in check(history)]
