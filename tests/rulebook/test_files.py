"""Which files count as rule files: each once, also in a mounted ConfigMap."""

from pathlib import Path

import pytest

from remediator.rulebook.files import find_rule_files
from remediator.rulebook.load import check, load
from remediator.rulebook.positions import MOST_BYTES

RULE = """\
rules:
  - rule: {name}
    match: ['{{alertname="X"}}']
"""


def written(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text or RULE.format(name=path.stem))
    return path


def test_a_directory_is_searched_by_name_and_only_for_rule_files(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "team/c.yaml", "team/deep/d.yml"):
        written(tmp_path / name)
    for name in ("a.test.yaml", "b.test.yml", ".hidden.yaml", ".git/x.yaml", "notes.txt", "examples/e.yaml"):
        written(tmp_path / name, "not: [a rule file")
    found, problems = find_rule_files([tmp_path])
    assert [each.relative_to(tmp_path).as_posix() for each in found] == [
        "a.yml",
        "b.yaml",
        "team/c.yaml",
        "team/deep/d.yml",
    ]
    assert problems == []


def test_a_mounted_configmap_is_read_once(tmp_path: Path) -> None:
    """The kubelet writes a directory named after the time, a link `..data` to it, and links into that."""
    written(tmp_path / "..2026_01_05_12_00_00.123" / "team" / "api.yaml")
    written(tmp_path / "..2026_01_05_12_00_00.123" / "web.yaml")
    (tmp_path / "..data").symlink_to("..2026_01_05_12_00_00.123")
    (tmp_path / "web.yaml").symlink_to("..data/web.yaml")
    (tmp_path / "team").symlink_to("..data/team")
    assert [each.rule for each in load([tmp_path]).rules] == ["api", "web"]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    path = written(tmp_path / "a.yaml")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert [each.rule for each in load([tmp_path, path, tmp_path / "." / "a.yaml"]).rules] == ["a"]


def test_a_named_file_may_be_called_anything(tmp_path: Path) -> None:
    assert len(load([written(tmp_path / "a.test.yaml", RULE.format(name="a"))]).rules) == 1


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("empty", "no rule files (*.yaml, *.yml) in this directory"),
        ("missing.yaml", "cannot be read: No such file or directory"),
        ("broken", "cannot be read: No such file or directory"),
        ("pipe", "not a file"),
    ],
)
def test_a_path_without_rules_is_a_problem(tmp_path: Path, name: str, sentence: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "link.yaml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "pipe").symlink_to("/dev/null")
    problems = check([written(tmp_path / "fine" / "a.yaml").parent, tmp_path / name])
    assert [(each.line, each.message) for each in problems] == [(0, sentence)]
    assert str(problems[0]).startswith(f"{tmp_path / name}")


def test_a_file_that_is_too_large_is_not_read_further(tmp_path: Path) -> None:
    large = written(tmp_path / "large.yaml", "#" * (MOST_BYTES + 1))
    assert [each.message for each in check([large])] == ["larger than 1 MiB"]
