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

Manifest = dict[str, Any]


@cache
def base() -> tuple[Manifest, ...]:
    """Everything `kubectl apply -k deploy/base` applies, as kustomize renders it."""
    done = subprocess.run([KUBECTL, "kustomize", DEPLOY / "base"], check=True, capture_output=True, text=True)
    return tuple(yaml.safe_load_all(done.stdout))


def of_kind(kind: str) -> Manifest:
    """The only object of this kind in the base."""
    (found,) = [each for each in base() if each["kind"] == kind]
    return found


def pod() -> Manifest:
    """The pod the Deployment makes."""
    spec: Manifest = of_kind("Deployment")["spec"]["template"]["spec"]
    return spec


def containers() -> list[Manifest]:
    """Every container of that pod, those that run first included."""
    return [*pod()["initContainers"], *pod()["containers"]]


def daemon() -> Manifest:
    """The container that stays."""
    (found,) = pod()["containers"]
    return dict(found)


def file(path: str) -> list[Manifest]:
    """The documents of one file below deploy/."""
    return list(yaml.safe_load_all((DEPLOY / path).read_text()))
