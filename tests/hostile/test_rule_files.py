"""What a daemon refuses on reload, `rules check` looks at too, warnings and all."""

from datetime import date
from pathlib import Path

from remediator.rulebook.lint import lint
from remediator.rulebook.load import read
from tests.hostile import corpus
from tests.hostile.rule_files import written


def test_no_file_of_the_corpus_stops_the_linter(tmp_path: Path) -> None:
    file, looked_at = tmp_path / "rules.yaml", 0
    for group, cases in corpus.read("rules.yaml").items():
        for case in cases.values():
            file.write_bytes(written(group, case))
            files, mistakes = read([file])
            assert not lint(files, date(2026, 11, 27)) or not mistakes
            looked_at += 1
    assert looked_at >= 144
