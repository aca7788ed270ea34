"""Starting: what is missing is said in a sentence that tells what to do."""

from pathlib import Path

import pytest

from remediator.cli.main import main


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REMEDIATOR_DATABASE_URL", "REMEDIATOR_CONFIG_FILE", "REMEDIATOR_RULES"):
        monkeypatch.delenv(name, raising=False)


def test_migrate_applies_once_and_says_so(
    databases: object, real_time_database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["migrate", "--database-url", real_time_database_url]) == 0
    assert "nothing to do" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["migrate"], "no database is configured"),
        (["migrate", "--database-url", "postgresql://127.0.0.1:1/x"], "could not be migrated"),
        (["serve"], "no database is configured"),
        (["serve", "--database-url", "postgresql://127.0.0.1:1/x"], "the database cannot be reached"),
        (["serve", "--config.file", "/nowhere/remediator.yml"], "cannot be read"),
    ],
)
def test_what_cannot_start_says_what_to_do(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error


def test_every_mistake_of_the_configuration_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "remediator.yml"
    config.write_text("ceiling: sometimes\nengine: {tick: 5, workers: many}\nclustr: {}\n")
    assert main(["serve", "--config.file", str(config)]) == 1
    error = capsys.readouterr().err
    for path in ("ceiling", "engine.tick", "engine.workers", "clustr"):
        assert f"{config}: {path}" in error


@pytest.mark.parametrize("again", ["http://one:9093", "http://one:9093/"])
def test_a_peer_that_is_named_twice_is_refused(
    again: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "remediator.yml"
    config.write_text(f"alertmanagers: {{urls: ['http://one:9093', 'http://two:9093', '{again}']}}\n")
    for command in ("serve", "doctor"):
        assert main([command, "--config.file", str(config)]) == 1
        error = capsys.readouterr().err
        assert f"{config}: alertmanagers.urls: " in error
        assert f"{again} is there twice: name each peer once" in error
        assert "Traceback" not in error


def test_off_is_a_word_in_the_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "remediator.yml"
    config.write_text("ceiling: off\nkubernetes:\n")
    assert main(["serve", "--config.file", str(config)]) == 1
    assert "no database is configured" in capsys.readouterr().err
