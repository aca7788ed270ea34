"""The real kubectl takes every command of every procedure, and some are carried out on the emulated cluster."""

import asyncio
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from remediator.catalogue import PROCEDURES
from remediator.domain.handover import filled_in
from remediator.domain.procedure import PLACEHOLDER
from remediator.facts.memory import _PEAK
from remediator.sandbox.kubernetes import EVERYTHING, Account
from remediator.workloads.usage import series_of
from tests.procedures.test_handed_over import API, found, stand
from tests.procedures.test_procedures import AT
from tests.sandbox.test_kubectl import KUBECTL
from tests.support.clock import DrivenClock
from tests.support.handed_over import ORDINARY
from tests.support.story import Story, told


def of_kubectl() -> Iterator[tuple[str, ...]]:
    """Every kubectl of every procedure, with ordinary names."""
    for procedure in PROCEDURES.values():
        for command in (each for step in procedure.steps for each in step.commands):
            for argv in command.pipeline:
                if argv[0] == "kubectl":
                    yield tuple(PLACEHOLDER.sub(lambda name: ORDINARY[name.group(1)], each) for each in argv)


def without_asking(argv: tuple[str, ...]) -> list[str]:
    """The same with --help behind its options: kubectl reads them all before it helps."""
    end = argv.index("--") if "--" in argv else len(argv)
    return [*argv[1:end], "--help"]


async def typed(*argv: str, where: Path) -> tuple[int | None, str]:
    environment = {"HOME": str(where), "PATH": f"{Path(KUBECTL).parent}{os.pathsep}{os.environ['PATH']}"}
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=where,
        env={**environment, "KUBECONFIG": str(where / "kubeconfig")},
    )
    async with asyncio.timeout(60):
        printed, _ = await process.communicate()
    return process.returncode, printed.decode()


async def test_kubectl_knows_every_option(tmp_path: Path) -> None:
    commands = sorted(set(map(tuple, map(without_asking, of_kubectl()))))
    assert len(commands) > 20
    for each in commands:
        code, printed = await typed(KUBECTL, *each, where=tmp_path)
        assert code == 0, (each, printed)
        assert "unknown" not in printed.partition("\n")[0]
    code, printed = await typed(KUBECTL, "scale", "deployment/api", "--replica=3", "--help", where=tmp_path)
    assert code == 1, printed


async def carried_out(story: Story, procedure: str, where: Path) -> list[str]:
    """The commands of one procedure that change something, run by a shell as they are printed."""
    known = {fact: await found(story, fact) for fact in PROCEDURES[procedure].facts}
    handover = filled_in(PROCEDURES[procedure], known, AT)
    lines = [line for step in handover.steps for line in step.commands]
    done = [line for line in lines if shlex.split(line)[3] not in ("top", "describe")]
    done = [line for line in done if " rollout status " not in line]
    for line in done:
        code, printed = await typed("bash", "-euc", line, where=where)
        assert code == 0, (line, printed)
    await story.let(60)
    return done


async def test_what_is_handed_over_does_what_it_says(
    tmp_path: Path, database_url: str, clock: DrivenClock
) -> None:
    async with told(tmp_path, database_url, clock) as story:
        await stand(story)
        everybody = Account("system:anonymous", rules=(EVERYTHING,))
        story.emulator.access._anonymous = everybody  # kubectl sends no token over plain HTTP

        def api() -> dict[str, object]:
            made = story.emulator.get("deployments", "shop", "api")
            assert made is not None
            (container,) = made["spec"]["template"]["spec"]["containers"]
            return {"image": container["image"], "memory": container["resources"]["limits"]["memory"]}

        assert api() == {"image": "app:v2", "memory": "512Mi"}
        await carried_out(story, "roll_back_to_revision", tmp_path)
        assert api() == {"image": "app:v1", "memory": "512Mi"}
        # As much as it may have: a quarter more is handed over.
        story.prometheus.answer(_PEAK % (series_of(API), "app"), 512 * 2**20)
        await carried_out(story, "set_resources", tmp_path)
        assert api() == {"image": "app:v1", "memory": "640Mi"}
        await carried_out(story, "set_hpa_bounds", tmp_path)
        autoscaler = story.emulator.get("horizontalpodautoscalers", "shop", "api")
        assert autoscaler is not None
        assert autoscaler["spec"]["maxReplicas"] == 7
