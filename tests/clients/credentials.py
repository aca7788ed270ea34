"""Kubeconfig files and what happens to them while time passes."""

from pathlib import Path

from remediator.clients.kube_connection import KubeConnection, Renewal


def a_kubeconfig(folder: Path, server: str, user: str) -> Path:
    """A kubeconfig for `server`; `user` is the rest of the one user's entry, in YAML's flow style."""
    path = folder / "kubeconfig"
    path.write_text(
        "current-context: here\ncontexts: [{name: here, context: {cluster: there, user: me}}]\n"
        f"clusters: [{{name: there, cluster: {{server: '{server}'}}}}]\nusers: [{{name: me, {user}}}]\n"
    )
    return path


def pass_a_minute(connection: KubeConnection) -> None:
    """As far as the credentials can tell."""
    renewal = connection._api_client.configuration.refresh_api_key_hook
    assert isinstance(renewal, Renewal)
    renewal.due -= 60.0


def write(path: Path, text: str) -> None:
    path.write_text(text)


def remove(path: Path) -> None:
    path.unlink()


def read(path: Path) -> str:
    return path.read_text()
