"""The world in which guards are asked: one scene for each thing that has to be so from the beginning."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from remediator.domain.change import Change, Eviction, Scaling
from remediator.run import Run, State
from tests.proofs.asking import Question
from tests.proofs.scenes import Scene, Stage, staged

FLUX = {"kustomize.toolkit.fluxcd.io/name": "shop", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
RELEASE = {"app.kubernetes.io/instance": "shop"}

SCENES = (
    Scene("base", "rollback", annotations={"remediator.io/migration-job": "beside"}),
    Scene("two", "rollback"),
    Scene("old", "rollback"),
    Scene("moving", "rollback", image="app:never-ready-v2"),
    Scene("human", "rollback"),
    Scene("crashing", "rollback", image="app:crash-v2"),
    Scene("flux", "rollback", labels=FLUX),
    Scene("recreate", "rollback", spec={"strategy": {"type": "Recreate"}}),
    Scene("scaled", "rollback"),
    Scene("released", "rollback", labels=RELEASE),
    Scene("together", "rollback", labels=RELEASE),
    Scene("single", "rollback", spec={"replicas": 1}),
    Scene("restart", "restart"),
)


def _proposed(scene: Scene, state: State, made: int) -> bool:
    return state is State.PROPOSED


class GuardStage(Stage):
    """The scenes of guards, each with a run that has a plan and has asked no guard about it yet."""

    standing: dict[str, Run]

    async def set_up(self) -> None:
        """v1 has soaked everywhere; most releases were four minutes ago."""
        await self.soak()
        self.release(self.scenes["old"])
        self._autoscale("scaled")
        self._another("together", "web", "app:v1", RELEASE)
        self._another("base", "ill", "app:never-ready-v1")
        await self.wait(40 * 60)
        for name, scene in self.scenes.items():
            if name not in ("old", "moving"):
                self.release(scene)
        web = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:v2"}]}}}}
        self.story.emulator.patch("deployments", "together", "web", web, user="somebody", manager="kubectl")
        await self.wait(3 * 60, 90)
        self.patch(self.scenes["human"], {"spec": {"revisionHistoryLimit": 5}})
        await self.wait(30)
        self.release(self.scenes["moving"])
        await self.wait(30)
        self.story.alertmanager.fire({**self.scenes["two"].alert, "alertname": "HighLatency"})
        self.story.prometheus.answer("up_ratio", 0.9)
        await self.fire()
        self.standing = await self.stand(_proposed)

    def _autoscale(self, namespace: str) -> None:
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}
        self.story.emulator.create(
            {
                "apiVersion": "autoscaling/v2",
                "kind": "HorizontalPodAutoscaler",
                "metadata": {"name": "api", "namespace": namespace},
                "spec": {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 4},
            }
        )

    def _another(
        self, namespace: str, name: str, image: str, labels: Mapping[str, str] | None = None
    ) -> None:
        """A second Deployment in a scene."""
        made = self.scenes[namespace].workload(image)
        made["metadata"] = {"name": name, "namespace": namespace, "labels": dict(labels or {})}
        made["spec"]["selector"] = {"matchLabels": {"app": name}}
        made["spec"]["template"]["metadata"]["labels"] = {"app": name}
        self.story.emulator.create(made)

    # -- questions ------------------------------------------------------------------------------------------

    def question(self, namespace: str) -> Question:
        """The first change of the scene's plan."""
        run = self.standing[namespace]
        assert run.plan is not None, (namespace, run)
        return Question(run, run.plan.changes[0])

    def depending(self, namespace: str, *named: str) -> Question:
        question = self.question(namespace)
        return replace(question, run=replace(question.run, depends_on=named))

    def eviction(self, namespace: str) -> Question:
        """The eviction of one of its pods, which is ready."""
        question = self.question(namespace)
        pod = self.story.emulator.list("pods", namespace)[0]["metadata"]
        change: Change = Eviction(
            target=question.run.target,
            uid=question.change.uid,
            pod=pod["name"],
            pod_uid=pod["uid"],
            from_exact="",
            from_title="pod",
            to_title="pod made anew",
            summary="evict",
        )
        return replace(question, change=change)

    def scaling(self, namespace: str, replicas: int = 2) -> Question:
        """One more replica for the scene's workload, of which so many were wanted when it was planned."""
        question = self.question(namespace)
        change: Change = Scaling(
            action="scale",
            target=question.run.target,
            uid=question.change.uid,
            from_replicas=replicas,
            to_replicas=replicas + 1,
            from_template={},
            from_title=f"{replicas} replicas",
            to_title=f"{replicas + 1} replicas",
            summary="scale",
        )
        plan = question.run.plan
        assert plan is not None
        assert plan.basis is not None
        planned_on = plan.basis.model_copy(
            update={"replicas": replicas if plan.basis.replicas is not None else None}
        )
        run = replace(question.run, plan=plan.model_copy(update={"basis": planned_on}))
        return replace(question, run=run, change=change)

    def with_alert_since(self, run: Run, starts_at: datetime) -> Run:
        trigger: Any = run.trigger
        return replace(run, trigger=trigger.model_copy(update={"starts_at": starts_at}))

    async def attempt(
        self, question: Question, index: int, action: str = "rollback", **revisions: str
    ) -> int:
        """Another run changed the question's target a minute ago."""
        change, target = question.change, question.run.target
        pair = {"from_revision": change.from_revision, "to_revision": change.to_revision, **revisions}
        async with self.story.daemon.database.connection() as connection:
            made: int = await connection.fetchval(
                """insert into attempts (run_id, rung, action_index, action, rule, cluster, kind, namespace, name,
                                         from_revision, to_revision, change, epoch, outcome, intended_at, outcome_at)
                   values ($1, $9, 0, $10, 'another', $2, $3, $4, $5, $6, $7, $8, 1, 'applied',
                           remediator_now() - interval '1 minute', remediator_now() - interval '1 minute')
                   returning id""",
                self.standing["two"].id,
                target.cluster,
                target.kind,
                target.namespace,
                target.name,
                pair["from_revision"],
                pair["to_revision"],
                change.to_json(),
                index,
                action,
            )
        return made

    async def remembers_replicas(self, namespace: str, replicas: int) -> None:
        """As if so many had been wanted for as long as the memory has looked."""
        async with self.story.daemon.database.connection() as connection:
            await connection.execute(
                "update replica_counts set replicas = $2 where namespace = $1 and ended_at is null",
                namespace,
                replicas,
            )

    async def forget_attempt(self, attempt: int) -> None:
        async with self.story.daemon.database.connection() as connection:
            await connection.execute("delete from attempts where id = $1", attempt)


@asynccontextmanager
async def guard_stage(tmp_path: Path, database_url: str) -> AsyncIterator[GuardStage]:
    async with staged(tmp_path, database_url, SCENES) as stage:
        made = GuardStage(stage.story, SCENES)
        await made.set_up()
        yield made
