"""What deploy/ holds, read as Kubernetes would get it."""

import subprocess
import sysconfig
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBECTL = Path(sysconfig.get_path("scripts")) / "kubectl"

OVERLAYS = ("observe", "restart", "rollback", "ha")
LEVELS = ("observe", "restart", "rollback")
"""How much a namespace grants: deploy/namespace."""

Manifest = dict[str, Any]


@cache
def rendered(path: str) -> tuple[Manifest, ...]:
    """Everything `kubectl apply -k deploy/PATH` applies, as kustomize renders it."""
    done = subprocess.run([KUBECTL, "kustomize", DEPLOY / path], check=True, capture_output=True, text=True)
    return tuple(yaml.safe_load_all(done.stdout))


def overlay(name: str) -> tuple[Manifest, ...]:
    """Everything of one overlay."""
    return rendered(f"overlays/{name}")


def namespace_of(level: str) -> tuple[Manifest, ...]:
    """What one namespace is given."""
    return rendered(f"namespace/{level}")


def find(kind: str, name: str, of: tuple[Manifest, ...] | None = None) -> Manifest:
    """The only object of this kind and name, of the default overlay unless said otherwise."""
    among = overlay("observe") if of is None else of
    (found,) = [each for each in among if each["kind"] == kind and each["metadata"]["name"] == name]
    return found


def of_kind(kind: str, of: tuple[Manifest, ...] | None = None) -> list[Manifest]:
    """All of a kind, of the default overlay unless said otherwise."""
    return [each for each in (overlay("observe") if of is None else of) if each["kind"] == kind]


def executor() -> Manifest:
    """The pod that acts."""
    spec: Manifest = find("Deployment", "remediator-executor")["spec"]["template"]["spec"]
    return spec


def intake() -> Manifest:
    """The pod that takes alerts."""
    spec: Manifest = find("Deployment", "remediator-intake")["spec"]["template"]["spec"]
    return spec


def migrate() -> Manifest:
    """The pod that brings the schema up to date."""
    spec: Manifest = find("Job", "remediator-migrate")["spec"]["template"]["spec"]
    return spec


def pods() -> dict[str, Manifest]:
    """All of them, by what they are for."""
    return {"executor": executor(), "intake": intake(), "migrate": migrate()}


def container(pod: Manifest) -> Manifest:
    """The one container of a pod."""
    assert "initContainers" not in pod
    (found,) = pod["containers"]
    return dict(found)


def file(path: str) -> list[Manifest]:
    """The documents of one file below deploy/."""
    return list(yaml.safe_load_all((DEPLOY / path).read_text()))
