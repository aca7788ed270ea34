"""What the documents list is what there is: layers, states, settings, flags, requests, metrics, commands."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from remediator.rulebook.load import check
from remediator.run import ACTIVE, State
from remediator.runbook.lifecycle import RUNBOOK
from remediator.settings.load import Settings
from remediator.telemetry import Metrics
from tests.deploy.manifests import DEPLOY, KUBECTL, ROOT

DOCUMENTS = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"])
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
OPERATING = (ROOT / "docs" / "operating.md").read_text()
README = (ROOT / "README.md").read_text()

DESCRIBED = ("none", "in-cluster", "all opted in", "host name and a random part")
"""Defaults that are told in words."""

NUMBER = r"\d{1,19}"
"""What aiohttp is told an id looks like."""


def section(document: str, title: str) -> str:
    """What stands under a heading of the second level."""
    return document.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(document: str, language: str = "") -> list[str]:
    """The fenced blocks of one language."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", document, re.DOTALL | re.MULTILINE)
    return [text for marked, text in fenced if marked == language]


def first_column(table: str) -> list[str]:
    """What stands in backticks at the beginning of a table's rows."""
    return re.findall(r"^\| `([^`]+)`", table, re.MULTILINE)


def test_the_layers_are_those_of_the_import_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [each["layers"] for each in contracts if each["type"] == "layers"]
    (drawn,) = [text for text in blocks(ARCHITECTURE) if "sandbox" in text]
    shown = [re.split(r" {2,}", line)[0] for line in drawn.splitlines()]
    assert shown == [re.sub(r"[()]", "", layer) for layer in layers]


def test_the_architecture_is_one_page() -> None:
    assert len(ARCHITECTURE.splitlines()) <= 100


def test_the_picture_of_the_states_is_the_lifecycle() -> None:
    (picture,) = [text for text in blocks(ARCHITECTURE) if "PLANNED" in text]
    shown = re.findall(r"^ *([A-Z]+) {2,}(\w+) {2,}", picture, re.MULTILINE)
    assert shown == [(line.state, snake_case(line.stage.__name__)) for line in RUNBOOK]


def test_every_ending_is_explained() -> None:
    table = section(ARCHITECTURE, "The states of a run")
    assert sorted(re.findall(r"^\| ([A-Z]+) \|", table, re.MULTILINE)) == sorted(set(State) - ACTIVE)


def snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def settings_of(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """Every setting, sections and lists of sections with what is in them."""
    for name, field in model.model_fields.items():
        inner = next(sections_in(field.annotation), None)
        if inner is not None:
            yield from settings_of(inner, f"{before}{name}.")
        else:
            yield f"{before}{name}"


def sections_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in getattr(annotation, "__args__", ()):
        yield from sections_in(each)


def defaults() -> dict[str, str]:
    """The settings whose default is written out, as the reference has it."""
    rows = re.findall(r"^\| `([^`]+)` \| `?([^`|]+?)`? \|", section(OPERATING, "Settings"), re.MULTILINE)
    return {
        name: text
        for name, text in rows
        if text not in DESCRIBED and not name.startswith(("people.", "slos."))
    }


def test_every_setting_is_in_the_reference_and_no_other() -> None:
    assert first_column(section(OPERATING, "Settings")) == list(settings_of(Settings))


@pytest.mark.parametrize(("name", "default"), sorted(defaults().items()))
def test_a_default_is_the_one_in_the_reference(name: str, default: str) -> None:
    written: object = yaml.safe_load(default)
    whole: object = written
    for part in reversed(name.split(".")):
        whole = {part: whole}
    assert Settings.model_validate(whole) == Settings()


def help_of(*command: str) -> str:
    called = [sys.executable, "-m", "remediator", *command, "--help"]
    return subprocess.run(called, check=True, capture_output=True, text=True, cwd=ROOT).stdout


def test_every_flag_of_serve_stands_beside_its_variable() -> None:
    told = help_of("serve")
    rows = re.findall(r"^\| `(--[\w.-]+).*?\| `(\w+)`", OPERATING, re.MULTILINE)
    assert [flag for flag, _ in rows] == re.findall(r"^  (--[\w.-]+)", told, re.MULTILINE)
    assert [variable for _, variable in rows] == re.findall(r"REMEDIATOR_\w+", told)


def routes() -> Iterator[str]:
    for path in sorted((ROOT / "remediator" / "web").glob("*.py")):
        for verb, at in re.findall(r'web\.(get|post|delete)\(r?"(/[^"]*)"', path.read_text()):
            yield f"{verb.upper()} {at.replace(':' + NUMBER, '')}"
    yield "POST /api/v1/alertmanager"


def test_every_request_is_in_the_table() -> None:
    assert sorted(first_column(section(OPERATING, "HTTP"))) == sorted(routes())


def test_every_metric_is_in_the_table() -> None:
    ours = re.findall(r"^# TYPE (remediator_\w+)", Metrics().exposition().decode(), re.MULTILINE)
    assert sorted(first_column(section(OPERATING, "Metrics"))) == sorted(ours)


def commands() -> set[str]:
    """Every command line of remediator in the documents: its command and what stands under it."""
    found: set[str] = set()
    for document in DOCUMENTS:
        text = document.read_text()
        spans = [*re.findall(r"`([^`\n]+)`", text), *"\n".join(blocks(text)).splitlines()]
        found |= {
            match.group(1).strip()
            for span in spans
            if (match := re.match(r"remediator ([a-z-]+(?: (?:check|list|show|approve)\b)?)", span.strip()))
        }
    return found


@pytest.mark.parametrize("command", sorted(commands()))
def test_a_command_in_the_documents_exists(command: str) -> None:
    assert help_of(*command.split())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", document.read_text()):
        file, _, heading = link.partition("#")
        if file.startswith("https:"):
            continue
        target = document.parent / file if file else document
        assert target.is_file(), link
        titles = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
        assert not heading or heading in [title.lower().replace(" ", "-") for title in titles], link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_is_named_exists(document: Path) -> None:
    text = "".join(re.split(r"^```.*?^```$", document.read_text(), flags=re.DOTALL | re.MULTILINE))
    named = re.findall(r"`((?:deploy|docs|rules|tests|remediator)/[\w./-]+)`", text)
    assert [path for path in named if "office_hours" not in path and not (ROOT / path).exists()] == []


def test_the_rule_in_the_readme_is_one(tmp_path: Path) -> None:
    (rule,) = blocks(README, "yaml")
    (tmp_path / "rule.yaml").write_text(rule)
    assert check([tmp_path]) == ()


def test_the_readme_can_be_read_in_one_go() -> None:
    assert len(README.splitlines()) < 120


def test_the_kustomization_to_start_from_puts_image_and_settings_in_place(tmp_path: Path) -> None:
    (written,) = blocks(section(OPERATING, "Install"), "yaml")
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    (tmp_path / "kustomization.yaml").write_text(written)
    (tmp_path / "remediator.yml").write_text("cluster: {name: mine}\n")
    done = subprocess.run([KUBECTL, "kustomize", tmp_path], check=True, capture_output=True, text=True)
    made = list(yaml.safe_load_all(done.stdout))
    (config,) = [each for each in made if each["kind"] == "ConfigMap"]
    assert config["data"] == {"remediator.yml": "cluster: {name: mine}\n"}
    pods = [each["spec"]["template"]["spec"] for each in made if each["kind"] in ("Deployment", "Job")]
    assert {one["image"] for pod in pods for one in pod["containers"]} == {
        "registry.example/remediator:0.1.0"
    }
    named = [
        each["configMap"]["name"] for pod in pods for each in pod.get("volumes", ()) if "configMap" in each
    ]
    assert named.count(config["metadata"]["name"]) == 2


def test_two_of_each_are_a_line_of_that_kustomization(tmp_path: Path) -> None:
    (written,) = blocks(section(OPERATING, "Install"), "yaml")
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    (tmp_path / "kustomization.yaml").write_text(written.replace("# components:", "components:"))
    (tmp_path / "remediator.yml").write_text("cluster: {name: mine}\n")
    done = subprocess.run([KUBECTL, "kustomize", tmp_path], check=True, capture_output=True, text=True)
    made = list(yaml.safe_load_all(done.stdout))
    assert {each["spec"]["replicas"] for each in made if each["kind"] == "Deployment"} == {2}
