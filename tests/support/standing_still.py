"""Pauses and freezes as people make and end them: over HTTP with kim's token, with kubectl, with a file."""

from typing import Any

import aiohttp

from tests.support.story import KIM, Story

PAUSED = "remediator.io/paused"


async def ask(story: Story, method: str, path: str, content: Any = None, token: str = KIM) -> tuple[int, Any]:
    """Status and document of one request."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, f"{story.url}{path}", json=content) as answer,
    ):
        return answer.status, await answer.json()


async def pause(story: Story, scope: str, value: str = "", why: str = "migration", **more: str) -> str:
    """Kim pauses; the name of the pause."""
    status, made = await ask(
        story, "POST", "/api/v1/pauses", {"scope": scope, "value": value, "why": why, **more}
    )
    assert status == 201, made
    return str(made["name"])


async def freeze(story: Story, scope: str, value: str, begins: str, until: str, **more: str) -> str:
    """Kim plans a freeze; its name."""
    content = {"scope": scope, "value": value, "from": begins, "until": until, "why": "release week", **more}
    status, made = await ask(story, "POST", "/api/v1/freezes", content)
    assert status == 201, made
    return str(made["name"])


async def resume(story: Story, name: str, token: str = KIM) -> tuple[int, Any]:
    """Kim wants it to go on; status and document."""
    return await ask(story, "POST", f"/api/v1/pauses/{name}/resume", {"why": "done"}, token)


async def listed(story: Story) -> list[dict[str, Any]]:
    """Every pause and freeze that is open."""
    status, content = await ask(story, "GET", "/api/v1/pauses")
    assert status == 200, content
    found: list[dict[str, Any]] = content["pauses"]
    return found


async def the_pause(story: Story) -> str:
    """The name of the only one."""
    (found,) = await listed(story)
    return str(found["name"])


def annotate(story: Story, kind: str, name: str, why: str | None) -> None:
    """Somebody with kubectl annotates the namespace or the workload, or takes that away."""
    namespace = "" if kind == "namespaces" else "shop"
    patch = {"metadata": {"annotations": {PAUSED: why}}}
    story.emulator.patch(kind, namespace, name, patch, user="somebody", manager="kubectl-annotate")
