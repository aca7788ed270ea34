"""What is handed over is whole, quoted, and can be read by a shell."""

import re
import shlex
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from remediator.catalogue import PROCEDURES
from remediator.domain.commands import stop_writers
from remediator.domain.facts import FACTS
from remediator.domain.handover import Handover, NotKnown, filled_in, script
from remediator.domain.levels import Level
from remediator.domain.procedure import Procedure, Step, run
from remediator.facts.sources import SOURCES
from remediator.redaction.document import redact_json
from remediator.redaction.text import redact
from tests.support.handed_over import HOSTILE, ORDINARY

AT = datetime(2026, 11, 27, 12, 30, tzinfo=UTC)
PLACEHOLDER_OF_ANY_KIND = re.compile(
    r"\$\{|\{\{|<[A-Z_-]+>|\bTODO\b|\bXXX|backend-pod|/backend|smartcloudops"
)
ONCE = Procedure(
    name="once",
    title="t",
    source="s",
    level=Level.G2,
    approver="somebody",
    steps=(Step(text="It is ${target.name}.", commands=(run("touch", "made-for-${target.name}"),)),),
)


@pytest.fixture(params=sorted(PROCEDURES))
def handover(request: pytest.FixtureRequest) -> Handover:
    """Each of the catalogue, with everything known."""
    return filled_in(PROCEDURES[request.param], ORDINARY, AT)


def commands(handover: Handover) -> list[str]:
    return [line for step in handover.steps for line in step.commands]


def shell(text: str, *options: str, where: Path | None = None) -> subprocess.CompletedProcess[str]:
    called = ["bash", "--noprofile", "--norc", *options]
    return subprocess.run(
        called, input=text, capture_output=True, text=True, cwd=where, check=False, timeout=60
    )


def test_each_file_holds_the_procedure_it_is_named_after() -> None:
    folder = Path(__file__).parents[2] / "remediator" / "procedures"
    assert sorted(each.stem for each in folder.glob("*.py") if each.stem != "__init__") == sorted(PROCEDURES)


def test_every_fact_of_the_closed_list_has_a_source_and_is_of_use() -> None:
    assert FACTS.keys() == SOURCES.keys()
    assert frozenset(FACTS) == frozenset[str]().union(*(each.facts for each in PROCEDURES.values()))


def test_no_placeholder_is_left_and_no_step_is_left_out(handover: Handover) -> None:
    assert handover.left_out == 0
    assert all(tick.answer == "yes" for tick in handover.ticks), handover.ticks
    done = [*commands(handover), *(each.text for each in handover.steps), handover.approver]
    assert [each for each in done if PLACEHOLDER_OF_ANY_KIND.search(each)] == []


def test_a_shell_can_read_it(handover: Handover) -> None:
    told = shell(script(handover), "-n")
    assert (told.returncode, told.stderr) == (0, "")


def test_no_command_wants_a_terminal_or_another_shells_expansion(handover: Handover) -> None:
    for line in commands(handover):
        words = shlex.split(line)
        assert "-it" not in words
        assert "-t" not in words or "exec" not in words, line
        unquoted = re.sub(r"'[^']*'", "", line)
        assert not set(unquoted) & set("$`;&*?!~"), line


def test_it_is_read_as_it_was_written_also_where_secrets_are_taken_out(handover: Handover) -> None:
    assert redact_json(handover.to_json()) == handover.to_json()
    assert redact(script(handover)) == script(handover)
    assert Handover.model_validate(handover.to_json()) == handover


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("target.selector", "app=api,credentials=vault"),
        ("target.match_labels", '{"app": "api", "token": "abcdefgh12345"}'),
        ("backup.location", "s3://backups/token=abcdef123/orders.dump"),
    ],
)
def test_no_command_is_kept_that_is_another_without_what_looks_like_a_secret(fact: str, value: str) -> None:
    for procedure in PROCEDURES.values():
        handover = filled_in(procedure, {**ORDINARY, fact: value}, AT)
        kept = Handover.model_validate(redact_json(handover.to_json()))
        assert commands(kept) == commands(handover)
        if fact in procedure.facts:
            assert "is taken for a secret, and would be kept as" in script(kept)


def test_a_name_that_ends_like_an_option_of_a_secret_is_none(handover: Handover) -> None:
    called = filled_in(PROCEDURES[handover.procedure], {**ORDINARY, "target.namespace": "auth-token"}, AT)
    assert called.left_out == 0
    assert redact(script(called)) == script(called)


@pytest.mark.parametrize("name", sorted(PROCEDURES))
def test_nothing_is_stopped_of_which_is_not_known_how_to_start_it_again(name: str) -> None:
    handover = filled_in(PROCEDURES[name], {**ORDINARY, "target.replicas": NotKnown("it stays up")}, AT)
    assert [each for each in commands(handover) if " scale " in each] == []


def test_what_was_wrong_before_is_said_and_not_said_again(handover: Handover) -> None:
    assert all(each.why for each in handover.wrong)
    assert {each.old for each in handover.wrong}.isdisjoint(commands(handover))


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_name_is_one_word_and_runs_nothing(value: str, tmp_path: Path) -> None:
    if "/" in value:
        value = value.replace("/", "_")
    handover = filled_in(ONCE, {**ORDINARY, "target.name": value}, AT)
    told = shell(script(handover), where=tmp_path)
    assert told.returncode == 0, told.stderr
    assert [each.name for each in tmp_path.iterdir()] == [f"made-for-{value}"]


@pytest.mark.parametrize("value", HOSTILE)
def test_every_procedure_stays_as_many_words_whatever_the_names(value: str) -> None:
    hostile = dict.fromkeys(ORDINARY, value) | {"backup.age_hours": "1", "backup.format": "archive"}
    for procedure in PROCEDURES.values():
        ordinary, odd = (filled_in(procedure, each, AT) for each in (ORDINARY, hostile))
        assert shell(script(odd), "-n").returncode == 0
        for mine, theirs in zip(commands(ordinary), commands(odd), strict=True):
            assert len(shlex.split(mine)) == len(shlex.split(theirs)), theirs


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "it is empty"),
        ("  ", "it is empty"),
        ("api\nrm -rf .", "it holds characters that cannot be seen"),
        ("api\x1b[2K", "it holds characters that cannot be seen"),
        ("api\u202egpj", "it holds characters that cannot be seen"),
        ("--all", "it looks like an option"),
    ],
)
def test_a_value_that_would_read_as_something_else_is_not_filled_in(value: str, says: str) -> None:
    (step,) = filled_in(ONCE, {**ORDINARY, "target.name": value}, AT).steps
    assert step.commands == ()
    assert says in step.left_out[0]


def test_what_is_not_known_leaves_its_step_out_loudly_and_stops_what_follows(tmp_path: Path) -> None:
    known: dict[str, str | NotKnown] = {
        **ORDINARY,
        "backup.id": NotKnown("there is no ConfigMap shop/backups"),
    }
    handover = filled_in(PROCEDURES["restore_database"], known, AT)
    assert handover.left_out == 1
    assert [each.answer for each in handover.ticks] == ["not known", "yes", "yes", "yes"]
    text = script(handover)
    assert (
        "#    not filled in: the newest verified backup is not known (there is no ConfigMap shop/backups); "
        "find it with: look where backups are kept"
    ) in text
    told = shell(text, "-v", where=tmp_path)
    assert [each for each in text.splitlines() if each and not each.startswith("#")] == []
    assert told.stdout == ""


@pytest.mark.parametrize(("format_is", "program"), [("archive", "pg_restore"), ("sql", "psql -X")])
def test_a_backup_is_restored_by_the_program_that_reads_it(format_is: str, program: str) -> None:
    handover = filled_in(PROCEDURES["restore_database"], {**ORDINARY, "backup.format": format_is}, AT)
    (line,) = [each for each in commands(handover) if " < " in each]
    assert f"-- {program}" in line
    assert " exec -i postgresql-0 " in line


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("${target.nam}", "there are no facts target.nam"),
        ("${Name}", "a placeholder that is none"),
        ("${target.name:html}", "SQL has identifiers and literals"),
    ],
)
def test_a_procedure_that_cannot_be_filled_in_cannot_be_written(word: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        ONCE.model_validate(
            {**ONCE.to_json(), "steps": [{"text": "t", "commands": [run("touch", word).to_json()]}]}
        )


def test_a_precondition_that_does_not_hold_is_not_ticked() -> None:
    known = {**ORDINARY, "backup.age_hours": "25.0", "target.autoscaler": "HorizontalPodAutoscaler api"}
    text = script(filled_in(PROCEDURES["restore_database"], known, AT))
    assert "# [ ] it is at most a day old: no (its age: 25.0)" in text
    assert "# [ ] nothing changes the replicas meanwhile: no (what changes its replicas: Horizontal" in text
    assert "# [x] there is a verified backup: yes (the newest verified backup: orders-2026-11-26)" in text
    warning = "# NOT EVERY PRECONDITION HOLDS: settle that before the first step.\n# 1. "
    assert warning in text
    assert warning not in script(filled_in(PROCEDURES["restore_database"], ORDINARY, AT))


def test_what_stops_a_workload_first_sees_that_nothing_else_sets_its_replicas() -> None:
    stopping = [each for each in PROCEDURES.values() if _stops(each)]
    assert {each.name for each in stopping} == {"recover_system", "repair_database", "restore_database"}
    for each in stopping:
        assert ("target.autoscaler", "none") in {(one.fact, one.equals) for one in each.preconditions}, (
            each.name
        )


def _stops(procedure: Procedure) -> bool:
    return any(set(stop_writers()) & set(step.commands) for step in procedure.steps)


DEFECTS = {
    "a terminal is asked for": "exec -it",
    "a selector without --tail": "--tail=-1 gives all",
    "the revision before is not the good one": "goes to the revision before",
    "a fixed revision number": "--to-revision=2",
    "apply before plan": "previous.tfvars",
    "a file that nobody saved": "Nobody had saved that file",
    "evidence is destroyed before it is read": "the evidence was destroyed",
    "a Secret is gone for a while": "there was no Secret",
    "a secret in arguments": "in the arguments of a process",
    "DROP and CREATE in one transaction": "DROP DATABASE is refused",
    "a migration without a pod": "there is no pod",
    "statistics as integrity check": "planner's statistics",
    "a profiler of itself": "profiles that one",
    "a memory reading of itself": "measures the interpreter",
    "fields that no autoscaler has": "targetMemoryUtilizationPercentage",
    "`get all` as backup": "leaves out ConfigMaps",
    "base64 as encryption": "base64 is no encryption",
    "a rehearsal that overwrites production": "overwrites production",
    "constants as replica counts": "3 is not what it had",
    "everything is stopped": "stops what has to stay up",
    "a name that resolves only inside": "resolves only within the namespace",
    "whole lines are counted": "Without -o it counts whole lines",
}
"""What was wrong in the runbook that people used, and how the procedure that takes its place says so."""


@pytest.mark.parametrize("defect", DEFECTS)
def test_what_was_wrong_in_the_old_runbook_is_told(defect: str) -> None:
    told = [f"{each.old} {each.why}" for procedure in PROCEDURES.values() for each in procedure.wrong]
    assert any(DEFECTS[defect] in each for each in told)
