"""Many small scenes in one world: each a namespace of its own, in which one run stands where the test wants it.

All of them share one daemon, one emulator and one clock, so that a long wait is waited once.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from remediator.run import Run, State
from remediator.runbook.worker import Worker
from remediator.store import runs
from remediator.store.database import Connection, open_database
from tests.support.clock import DrivenClock
from tests.support.sets import workload
from tests.support.story import ALERT, Story, deployment, told

Json = dict[str, Any]
Action = Literal["rollback", "restart", "evict", "evict_pod", "scale"]
ACTIONS: tuple[Action, ...] = ("rollback", "restart", "evict", "evict_pod", "scale")

LONG = 300.0
"""Seconds between two looks of the memory in these worlds: a soak is waited in seven steps."""

_RULE = """
  - rule: in-{namespace}
    mode: act
    match: ['{{alertname=~"HighErrorRate|HighLatency", namespace="{namespace}"}}']
    actions: [{action}]
    guards: [{guards}]
    verifications:
      - rollout_complete: {{within: 5m}}
      - alert_cleared: {{for: 1m, within: 45m}}
"""

_OF_A_RULE = {"evict": "rollback", "scale": "scale: {by: 1, up_to: 3}"}
_GUARDS = {"scale": "promql: {query: load, above: 0.5}"}


@dataclass(frozen=True)
class Scene:
    """One namespace with one workload in it, and what is to be done about it.

    The action `evict` is the second change of a StatefulSet's rollback; what is looked at is the moment after the
    first. That of a rule is `evict_pod`: one of two pods is ill, whatever was released.
    """

    namespace: str
    action: Action
    annotations: Mapping[str, str] | None = None
    labels: Mapping[str, str] | None = None
    spec: Mapping[str, Any] | None = None
    image: str | None = None
    """What was released four minutes ago instead of what `action` needs."""

    @property
    def kind(self) -> str:
        return "StatefulSet" if self.action == "evict" else "Deployment"

    @property
    def name(self) -> str:
        return "db" if self.action == "evict" else "api"

    @property
    def plural(self) -> str:
        return f"{self.kind.lower()}s"

    @property
    def rule(self) -> str:
        return _RULE.format(
            namespace=self.namespace,
            action=_OF_A_RULE.get(self.action, self.action),
            guards=_GUARDS.get(self.action, ""),
        )

    @property
    def alert(self) -> dict[str, str]:
        unnamed = {key: value for key, value in ALERT.items() if key != "deployment"}
        return {**unnamed, "namespace": self.namespace, self.kind.lower(): self.name}

    def workload(self, image: str) -> Json:
        made = workload("StatefulSet", image) if self.action == "evict" else deployment(image)
        metadata = made["metadata"]
        metadata["namespace"] = self.namespace
        metadata["annotations"] = {**metadata["annotations"], **(self.annotations or {})}
        metadata["labels"] = dict(self.labels or {})
        made["spec"] |= self.spec or {}
        return made

    @property
    def released(self) -> str | None:
        """The image that makes acting right; a restart or a scaling needs none."""
        return self.image or {"rollback": "app:v2", "evict": "app:missing-v2"}.get(self.action)


class Stage:
    """The scenes of one world, and the hands that move them."""

    def __init__(self, story: Story, scenes: Sequence[Scene]) -> None:
        self.story = story
        self.scenes = {each.namespace: each for each in scenes}

    # -- before the alerts ----------------------------------------------------------------------------------

    async def wait(self, seconds: float, step: float = LONG) -> None:
        """Let time pass with the memory looking; nothing else works meanwhile."""
        story = self.story
        while seconds > 0:
            moved = min(step, seconds)
            seconds -= moved
            await story.clock.advance(moved)
            await story.emulator.catch_up()
            await story.daemon.watcher.tick()

    async def soak(self, minutes: float = 35) -> None:
        """Every scene's first version runs, and is seen to for longer than the soak time."""
        for scene in self.scenes.values():
            self.story.emulator.create(scene.workload("app:v1"))
        await self.wait(30)
        await self.wait(minutes * 60)

    def release(self, scene: Scene, image: str | None = None) -> None:
        image = image or scene.released
        if image is not None:
            containers = [{"name": "app", "image": image}]
            self.patch(scene, {"spec": {"template": {"spec": {"containers": containers}}}})
        elif scene.action == "evict_pod":
            self.one_is_ill(scene)

    def one_is_ill(self, scene: Scene) -> None:
        """The kubelet finds the first of its pods not ready any more."""
        emulator, stamp = self.story.emulator, self.story.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        pod = min(emulator.list("pods", scene.namespace), key=lambda each: each["metadata"]["name"])
        conditions = [
            {**each, "status": "False", "lastTransitionTime": stamp} if "Ready" in each["type"] else each
            for each in pod["status"]["conditions"]
        ]
        changed = {"status": {"conditions": conditions}}
        name = pod["metadata"]["name"]
        emulator.patch("pods", scene.namespace, name, changed, user="kubelet", subresource="status")

    def patch(self, scene: Scene, change: Json, manager: str = "kubectl", subresource: str = "") -> None:
        """Somebody writes the scene's workload."""
        self.story.emulator.patch(
            scene.plural,
            scene.namespace,
            scene.name,
            change,
            user="somebody",
            manager=manager,
            subresource=subresource,
        )

    async def begin(self, prepare: Callable[[Scene], None] | None = None) -> None:
        """v1 has soaked everywhere, the release was four minutes ago, and every alert fires."""
        await self.soak()
        for scene in self.scenes.values():
            self.release(scene)
        await self.wait(4 * 60, 120)
        if prepare is not None:
            for scene in self.scenes.values():
                prepare(scene)
        await self.fire()

    async def fire(self) -> None:
        """Every alert fires, is delivered and planned; the runs themselves stand still."""
        story = self.story
        for scene in self.scenes.values():
            story.alertmanager.fire(scene.alert)
        answers = await story.alertmanager.deliver(f"{story.url}/api/v1/alertmanager", token="story-token")
        assert {each.status for each in answers} == {200}, answers
        for tick in (story.daemon.reader.tick, story.daemon.planner.tick):
            while await tick():
                pass

    # -- the runs -------------------------------------------------------------------------------------------

    async def runs(self) -> dict[str, Run]:
        """The newest run of each scene, by namespace."""
        async with self.story.daemon.database.connection() as connection:
            rows = await connection.fetch("select max(id) as id, namespace from runs group by namespace")
            found = {row["namespace"]: await runs.find(connection, row["id"]) for row in rows}
        return {name: run for name, run in found.items() if run is not None}

    async def stand(self, at: Callable[[Scene, State, int], bool]) -> dict[str, Run]:
        """Move every run until it stands where `at` says (by its state and the attempts it made), and no further."""
        while await self.story.daemon.worker.tick():
            async with self.story.daemon.database.connection() as connection:
                rows = await connection.fetch(
                    """select id, namespace, state, (select count(*) from attempts where run_id = runs.id) as made
                       from runs where due_at < 'infinity'"""
                )
                for row in rows:
                    if at(self.scenes[row["namespace"]], State(row["state"]), row["made"]):
                        await self._due(connection, row["id"], "infinity")
        return await self.runs()

    async def go_on(self, run: Run, worker: Worker | None = None) -> Run:
        """Let one run go on for as long as it has something to do now; how it stands then."""
        database, worker = self.story.daemon.database, worker or self.story.daemon.worker
        async with database.connection() as connection:
            await self._due(connection, run.id, "now")
        while await worker.tick():
            pass
        async with database.connection() as connection:
            found = await runs.find(connection, run.id)
            assert found is not None
            await self._due(connection, run.id, "infinity")
        return found

    async def _due(self, connection: Connection, run_id: int, when: str) -> None:
        moment = "remediator_now()" if when == "now" else f"'{when}'::timestamptz"
        await connection.execute(f"update runs set due_at = {moment} where id = $1", run_id)

    async def why(self, run: Run) -> str:
        async with self.story.daemon.database.connection() as connection:
            return str(await connection.fetchval("select why from runs where id = $1", run.id))

    def effects(self, namespace: str) -> list[str]:
        """What the daemon really changed there, claims left out."""
        return [
            f"{each.verb} {each.resource}/{each.name}{each.subresource and '/'}{each.subresource}"
            for each in self.story.emulator.effects
            if each.user == "remediator"
            and each.namespace == namespace
            and each.resource != "events"
            and not each.claim
        ]


def other_rules(story: Story) -> Mapping[str, Any]:
    """The settings of a daemon that has loaded rules, and none of the story's."""
    (folder,) = story.daemon.settings.rules
    other = folder.parent / "other-rules"
    other.mkdir(exist_ok=True)
    (other / "rules.yaml").write_text("rules:" + Scene("elsewhere", "rollback").rule)
    return {"rules": (other,)}


@asynccontextmanager
async def staged(
    tmp_path: Path, database_url: str, scenes: Sequence[Scene], settings: Mapping[str, Any] | None = None
) -> AsyncIterator[Stage]:
    """A world with these scenes, in which nothing has happened yet."""
    database = await open_database(database_url)
    rules = "rules:" + "".join(each.rule for each in scenes)
    usual = {
        "engine": {"memory_every": "5m"},
        # So that no scene waits for another.
        "budgets": {"everywhere": 1000, "in_namespace": 1000, "unsettled": 1000},
        "storm": {"in_namespace": 1000, "anywhere": 1000},
    }
    try:
        async with told(
            tmp_path,
            database_url,
            DrivenClock(database),
            rules,
            {**usual, **(settings or {})},
            namespaces=[each.namespace for each in scenes],
        ) as story:
            story.prometheus.answer("load", 0.9)
            yield Stage(story, scenes)
    finally:
        await database.close()
