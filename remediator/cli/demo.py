"""`remediator demo`: the main job on this machine, in under a minute, with nothing installed but this package."""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from remediator.cli.commands import Commands
from remediator.errors import Permanent, RemediatorError

_ENDED = ("RESOLVED", "BLOCKED", "ESCALATED", "CANCELLED", "UNKNOWN", "SHADOWED", "DECLINED")
_GOOD_IMAGE = "registry.example.com/shop/api:v1"


def add_commands(commands: Commands) -> None:
    """Add `demo`."""
    demo = commands.add_parser(
        "demo",
        help="watch a bad release being rolled back, on this machine",
        description="Starts a private PostgreSQL, an emulated cluster and the daemon, releases something bad, and "
        "shows what the daemon sees, does and refuses. Takes about half a minute and leaves nothing behind.",
    )
    demo.add_argument("--keep", action="store_true", help="stay up afterwards and say what to look at")
    demo.add_argument(
        "--rules",
        type=Path,
        metavar="FILE",
        help="let these rules meet the bad release instead of the demo's own; in shadow somebody rolls it back by hand",
    )
    demo.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    try:
        if args.rules is not None:
            _meet_the_alert(args.rules)
            return asyncio.run(_with_own_rules(args.rules.read_text(), keep=args.keep))
        return asyncio.run(_demo(keep=args.keep))
    except ModuleNotFoundError as missing:
        raise Permanent(f"the demo needs {missing.name}: pip install 'remediator[demo]'") from missing


@asynccontextmanager
async def _world(rules: str | None = None) -> AsyncIterator[Any]:
    from remediator.cli import demo_world

    with tempfile.TemporaryDirectory(prefix="remediator-demo-") as name:
        # PostgreSQL may run as another user, and has to reach its directory below this one.
        os.chmod(name, 0o755)  # noqa: PTH101 -- nothing else runs yet
        async with AsyncExitStack() as opened:
            _say("starting PostgreSQL, an emulated cluster, Alertmanager, Prometheus and the daemon")
            yield await demo_world.start(opened, Path(name), rules or demo_world.RULES)


async def _demo(*, keep: bool) -> int:
    async with _world() as world:
        story = _Story(world)
        await story.prepare()
        recovered = await story.a_bad_release()
        refused = await story.somebodys_fix()
        effects = world.effects()
        if keep:
            await _keep(world)
        good = recovered is not None and refused == 1 and effects == 1
        seconds = f"{recovered:.0f}" if recovered is not None else "no"
        print(f"demo: recovered in {seconds} s; refused {refused}; effects {effects}", flush=True)
        return 0 if good else 1


async def _with_own_rules(rules: str, *, keep: bool) -> int:
    """The bad release alone, met by somebody's own rules."""
    async with _world(rules) as world:
        story = _Story(world)
        await story.prepare()
        await story.a_bad_release()
        if keep:
            await _keep(world)
        print(f"demo: {story.ended}; effects {world.effects()}", flush=True)
        return 0


def _meet_the_alert(file: Path) -> None:
    """Raises Permanent when the rules would leave the demo nothing to show."""
    from remediator.rulebook.explain import look_at
    from remediator.rulebook.load import load

    alert = _alert("api")
    modes = {each.rule.mode for each in look_at(load([file]), alert) if each.matches}
    if not modes & {"shadow", "act"}:
        labels = ", ".join(f'{name}="{value}"' for name, value in alert.items())
        raise Permanent(f"{file}: no rule in mode shadow or act matches the demo's alert {{{labels}}}")


class _Story:
    """What happens, one sentence a method."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self._shown: dict[int, str] = {}

    async def prepare(self) -> None:
        """The shop runs well, and its team lets the rule act."""
        from remediator.cli.demo_world import SOAK_SECONDS, command, deployment

        world = self._world
        await self._until(self._ready, "the daemon is ready", seconds=60)
        for rule in world.daemon().get("/api/v1/rules")["rules"]:
            command("rules", "approve", rule["rule"], environment=world.environment())
        world.emulator.create(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": "shop", "labels": {"remediator.io/enabled": "true"}},
            }
        )
        for name in ("api", "web"):
            world.emulator.create(deployment(name, f"registry.example.com/shop/{name}:v1"))
        _say(
            f"api and web run v1; the daemon watches them for {SOAK_SECONDS} s until it calls v1 known to be good"
        )
        await asyncio.sleep(SOAK_SECONDS + 8)

    async def a_bad_release(self) -> float | None:
        """A release fails its users, an alert fires, and the daemon puts the last good version back."""
        from remediator.cli.demo_world import BAD_IMAGE

        world = self._world
        world.emulator.patch("deployments", "shop", "api", _image("api", BAD_IMAGE), manager="kubectl")
        _say("api v2 is rolled out; it runs, and fails three requests in ten")
        await asyncio.sleep(3)
        labels = _alert("api")
        world.alertmanager.fire(labels, annotations={"summary": "api fails 31% of its requests"})
        began = time.monotonic()
        _say("HighErrorRate fires and Alertmanager posts it to the daemon")
        await self._deliver()
        await self._follow(1, until=("ACTED", *_ENDED))
        if world.image("api") == _GOOD_IMAGE:
            _say(f"api runs v1 again, {time.monotonic() - began:.1f} s after the alert; now: did it help?")
            await self._until(lambda: world.error_ratio() < 0.05, "the error ratio falls")
            world.alertmanager.resolve(labels)
            await self._deliver()
        state = await self._follow(1, until=_ENDED)
        recovered = time.monotonic() - began
        self._tell("incidents", "show", "1")
        if state == "SHADOWED":
            await self._by_hand(labels)
            self._tell("shadow", "report")
        return recovered if state == "RESOLVED" else None

    async def _by_hand(self, labels: dict[str, str]) -> None:
        """What the rule did not do somebody does, and the daemon sees it."""
        world = self._world
        _say("the rule is in shadow: somebody rolls api back to v1 by hand, and the alert ends")
        world.emulator.patch("deployments", "shop", "api", _image("api", _GOOD_IMAGE), manager="kubectl")
        # Two looks of the memory, so that it has seen the version come back while the alert still fired.
        await asyncio.sleep(5)
        world.alertmanager.resolve(labels)
        await self._deliver()

        def known() -> bool:
            rules = world.daemon().get("/api/v1/shadow")["rules"]
            decisions = [each["decisions"] for each in rules if each["decisions"]["count"]]
            return bool(decisions) and not any(each["unknown"] for each in decisions)

        with suppress(Permanent):  # the report says why it is not known
            await self._until(known, "it is known what became of api", seconds=15)

    async def somebodys_fix(self) -> int:
        """An alert arrives after somebody has already rolled out a fix: the daemon leaves that alone."""
        world = self._world
        _say(
            "web v2 is rolled out and fails too; before its alert is posted, somebody rolls out a fix by hand"
        )
        bad = _image("web", "registry.example.com/shop/web:v2")
        world.emulator.patch("deployments", "shop", "web", bad, manager="kubectl")
        await asyncio.sleep(3)
        world.alertmanager.fire(_alert("web"), annotations={"summary": "web fails 12% of its requests"})
        await asyncio.sleep(2)
        fix = _image("web", "registry.example.com/shop/web:v3-fix")
        world.emulator.patch("deployments", "shop", "web", fix, manager="kubectl")
        await asyncio.sleep(3)
        await self._deliver()
        state = await self._follow(2, until=_ENDED)
        self._tell("incidents", "show", "2")
        return 1 if state == "BLOCKED" and world.image("web").endswith("v3-fix") else 0

    def _ready(self) -> bool:
        if self._world.process.poll() is not None:
            raise Permanent(f"the daemon stopped: {self._world.log.read_text()[-2000:]}")
        try:
            self._world.daemon().get("/-/ready")
        except RemediatorError:
            return False
        return True

    async def _deliver(self) -> None:
        world = self._world
        path = f"{world.url}/api/v1/alertmanager"
        sent = await world.alertmanager.deliver(path, token=world.token_file.read_text())
        refused = [each for each in sent if each.status != 200]
        if refused:
            raise Permanent(f"the daemon did not take the alert: {refused[0].status} {refused[0].error}")

    async def _follow(self, run_id: int, until: tuple[str, ...]) -> str:
        """Print each state the run comes to, until it is in one of these."""

        def there() -> bool:
            runs = self._world.daemon().get("/api/v1/runs")["runs"]
            state = next((each["state"] for each in runs if each["id"] == run_id), None)
            if state is not None and state != self._shown.get(run_id):
                self._shown[run_id] = state
                _say(f"  run {run_id}: {state}")
            return state in until

        await self._until(there, f"run {run_id} ends", seconds=60)
        return self._shown[run_id]

    @property
    def ended(self) -> str:
        """The state of each run."""
        return ", ".join(f"run {number} {state}" for number, state in sorted(self._shown.items()))

    def _tell(self, *arguments: str) -> None:
        from remediator.cli.demo_world import command

        print()
        print(command(*arguments, environment=self._world.environment()))

    @staticmethod
    async def _until(true: Callable[[], bool], what: str, *, seconds: float = 30.0) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not await asyncio.to_thread(true):  # noqa: ASYNC110 -- it happens in another process
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise Permanent(f"waited {seconds:g} s in vain until {what}") from None


async def _keep(world: Any) -> None:
    settings = " ".join(f"{name}={value}" for name, value in world.environment().items())
    _say("still running until Ctrl-C; in another terminal:")
    print(f"  {settings} remediator incidents list")
    print(f"  {settings} remediator runs show 1")
    print(f"  curl -s {world.url}/metrics | grep ^remediator_")
    print(f"  kubectl --server {world.emulator.url} -n shop get deployments,pods,events")
    print(f"  the rule: {world.directory}/rules.yaml; the daemon's log: {world.log}", flush=True)
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        print()


def _alert(name: str) -> dict[str, str]:
    return {"alertname": "HighErrorRate", "namespace": "shop", "deployment": name, "severity": "critical"}


def _image(container: str, image: str) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"name": container, "image": image}]}}}}


def _say(sentence: str) -> None:
    print(f"* {sentence}", flush=True)
