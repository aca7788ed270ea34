"""The emulator as the cluster was that the recordings were taken from: its images, accounts and times."""

from dataclasses import replace
from datetime import UTC, datetime

from remediator.sandbox.kubernetes import (
    EVERYTHING,
    AccessRule,
    Account,
    DrivenClock,
    Emulator,
    ImageBehaviour,
    Settings,
    service_account,
)
from tests.sandbox.kubernetes_client import Json

BEGIN = datetime(2026, 11, 23, 7, 36, 51, tzinfo=UTC)
"""When every replay begins: when the pods were made whose logs are asked for since a certain time."""
KUBECTL = "kubectl.1.33/v1.33.1"
"""How kubectl called itself, as the managers of its writes show; the recordings say `kubectl`."""
LAG = 0.045
"""Seconds until the emulator's controllers see a change."""
PULLED = ("/shop/db:", "/shop/agent:")
"""Images the node had to pull once; it had all others."""
ADMIN = Account("kubernetes-admin", "admin", ["system:masters", "system:authenticated"], [EVERYTHING])
SERVICE_ACCOUNT = service_account(
    "shop-rbac",
    "remediator",
    "remediator",
    [
        AccessRule(["get", "list", "watch", "patch"], ["apps"], ["deployments"], ["shop-rbac"]),
        AccessRule(["get", "list", "watch"], [""], ["pods", "pods/log"], ["shop-rbac"]),
    ],
)
"""What rbac.json gives its ServiceAccount."""
_STARTS = "{time} starting shop/web:%s on {pod}"
_COMMANDS = {
    "1": ImageBehaviour.crash_looping(exit_code=0, run_seconds=1.0, log=["done"]),
    "3": ImageBehaviour.crash_looping(exit_code=3, run_seconds=1.0, log=["broken"]),
}
IMAGES = {
    "bad": ImageBehaviour.unpullable(),
    "crash": ImageBehaviour.crash_looping(
        run_seconds=1.05, log=[_STARTS % "crash", "fatal: simulated crash"]
    ),
    "unready": ImageBehaviour.never_ready(),
}
"""What the recorded images do, by their tags; those of any other run well."""


def images(image: str) -> ImageBehaviour:
    """How a recorded image behaves."""
    tag = image.rpartition(":")[2]
    log = [_STARTS % tag, "listening on 8080"]
    behaviour = IMAGES.get(tag, ImageBehaviour(log=log, tick_seconds=5.0, commands=_COMMANDS))
    return replace(behaviour, present=not any(name in image for name in PULLED))


def headers_of(request: Json, name: str) -> dict[str, str]:
    """The headers of the exchange of that name, with the credentials that the recordings leave out."""
    headers = {each.title(): value for each, value in request["headers"].items()}
    agent = headers.get("User-Agent", "recorder/1")
    headers["User-Agent"] = KUBECTL if agent == "kubectl" else agent
    token = ADMIN.token
    if name.startswith(("as the service account", "token of a deleted service account")):
        token = SERVICE_ACCOUNT.token
    elif name.startswith(("bad token", "forged token")):
        token = "unknown"
    elif name.startswith("no credentials"):
        return headers
    return {**headers, "Authorization": f"Bearer {token}"}


def emulator(pull_seconds: float, *, watch_list: bool) -> Emulator:
    """An emulator as slow as the real cluster was."""
    settings = Settings(
        observe_lag=LAG,
        schedule_seconds=0.02,
        pull_seconds=pull_seconds,
        start_seconds=0.4,
        ready_seconds=0.4,
        stop_seconds=0.3,
    )
    accounts = [ADMIN, SERVICE_ACCOUNT]
    return Emulator(
        DrivenClock(BEGIN), settings=settings, images=images, accounts=accounts, watch_list=watch_list
    )
