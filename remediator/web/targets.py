"""Questions of pipelines about one workload."""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from remediator.domain.target import Target, misnamed
from remediator.people.principal import Principal
from remediator.people.roster import People
from remediator.store import alerts_of_target, rollbacks, tenures
from remediator.store.rollbacks import RolledBack
from remediator.web.collaborators import Collaborators
from remediator.web.responses import document, problem
from remediator.web.roles import only_for
from remediator.web.rolled_back_from import judged

_DATABASE_SECONDS = 5.0
_LONGEST_IMAGE = 1024


class Targets:
    """Asking takes the role view."""

    def __init__(self, collaborators: Collaborators, people: People) -> None:
        self._collaborators = collaborators
        self._people = people

    def routes(self) -> list[web.RouteDef]:
        """What this answers."""
        answer = only_for(self._people, "view", self._rolled_back)
        return [web.get("/api/v1/targets/{kind}/{namespace}/{name}", answer)]

    async def _rolled_back(self, request: web.Request, who: Principal) -> web.Response:
        """Was `?image=` rolled back from?"""
        kind, namespace, name = (request.match_info[part] for part in ("kind", "namespace", "name"))
        wrong = misnamed(kind, namespace, name)
        if wrong is not None:
            return problem(400, wrong, "Ask for /api/v1/targets/KIND/NAMESPACE/NAME.")
        image = request.query.get("image", "")
        if not image or len(image) > _LONGEST_IMAGE or not image.isprintable() or " " in image:
            hint = "Give ?image= as it stands, or would stand, in the workload's template."
            return problem(400, "no image is named", hint)
        target = Target(
            cluster=self._collaborators.settings.cluster.name, kind=kind, namespace=namespace, name=name
        )
        async with (
            asyncio.timeout(_DATABASE_SECONDS),
            self._collaborators.database.connection() as connection,
        ):
            made = await rollbacks.of_target(connection, target)
            remembered = await tenures.of_target(connection, target)
            alerts = await alerts_of_target.spans(connection, target, _alerts_of(made))
        verdict = judged(image, made, remembered, alerts)
        return document({"target": str(target), "image": image, **verdict.to_json()})


def _alerts_of(made: Sequence[RolledBack]) -> set[str] | None:
    """The names of the alerts the rollbacks answered; None, for every alert, when a person made one of them."""
    names = {each.alert.name for each in made if each.alert is not None}
    return names if all(each.alert is not None for each in made) else None
