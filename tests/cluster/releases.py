"""Releases that behave the same on the emulator and on a real cluster.

On a real cluster one image is enough: `pause`, which every node has. What makes a release bad is its
command, its probe or the name of an image that does not exist. The emulator knows images by their tags.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Releases:
    """Makes pod templates; `image` is None for the emulator."""

    image: str | None

    def good(self, name: str) -> dict[str, Any]:
        """Starts and stays up."""
        return self._template(name, self.image or f"app:{name}")

    def unpullable(self, name: str = "unpullable") -> dict[str, Any]:
        """Its image does not exist."""
        return self._template(name, f"localhost/no-such-image:missing-{name}")

    def crashing(self, name: str = "crashing") -> dict[str, Any]:
        """Exits as soon as it has started."""
        template = self._template(name, self.image or f"app:crash-{name}")
        if self.image is not None:
            template["spec"]["containers"][0]["command"] = ["/no-such-command"]
        return template

    def never_ready(self, name: str = "never-ready") -> dict[str, Any]:
        """Runs, and its readiness probe never passes."""
        template = self._template(name, self.image or f"app:never-ready-{name}")
        probe = {"tcpSocket": {"port": 1}, "periodSeconds": 1}
        template["spec"]["containers"][0]["readinessProbe"] = probe
        return template

    @staticmethod
    def _template(name: str, image: str) -> dict[str, Any]:
        return {
            "metadata": {"labels": {"app": "api"}, "annotations": {"release": name}},
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "containers": [{"name": "app", "image": image, "imagePullPolicy": "IfNotPresent"}],
            },
        }
