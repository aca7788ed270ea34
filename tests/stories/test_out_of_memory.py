"""Killed for its memory at its limit: no restart, the reason, and the higher limit filled in for people."""

from pathlib import Path

from remediator.domain.handover import Handover, script
from remediator.domain.target import Target
from remediator.facts.memory import _PEAK
from remediator.workloads.usage import series_of
from tests.support.clock import DrivenClock
from tests.support.story import deployment, told

RULES = (Path(__file__).parents[2] / "rules" / "service_down.yaml").read_text().replace("shadow", "act")
API = Target(cluster="default", kind="deployment", namespace="shop", name="api")


async def test_a_restart_is_refused_and_a_higher_limit_is_handed_over(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock, RULES) as story:
        made = deployment("app:out-of-memory")
        made["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"memory": "512Mi"}}
        story.emulator.create(made)
        story.prometheus.answer(_PEAK % (series_of(API), "app"), 498 * 2**20)
        await story.soak(2 * 60)
        pod = story.emulator.list("pods", "shop")[0]["metadata"]["name"]
        story.alertmanager.fire({"alertname": "ServiceHung", "namespace": "shop", "pod": pod})
        await story.deliver()
        await story.let(5 * 60 + 15, step=60)
        run = await story.run()
        assert (str(run.target), run.state, run.rule) == (str(API), "BLOCKED", "service-hung")
        why = f"a restart is useless: {pod}: app was OOMKilled at its memory limit of 512Mi"
        assert why in (run.why or "")
        assert story.changes() == []
        (handover,) = [
            Handover.model_validate(each.details) for each in await story.journal() if each.kind == "handover"
        ]
        assert (handover.procedure, handover.left_out) == ("set_resources", 0)
        assert {each.answer for each in handover.ticks} == {"yes"}
        printed = script(handover)
        assert "kubectl -n shop set resources deployment/api -c app --limits=memory=768Mi\n" in printed
        assert "2 pods were killed at 512Mi (at most 498Mi were seen in 7 days), so it needs more" in printed
