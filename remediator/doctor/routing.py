"""An Alertmanager's configuration, as far as it decides whether alerts reach us. Pure: text in, values out.

Read from `config.original` of `/api/v2/status`: Alertmanager writes its whole configuration there, defaults
filled in, secrets as `<secret>`. Since 0.26 the address of a webhook is such a secret (prometheus/alertmanager
#3228); until then it is shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import yaml

from remediator.doctor.route_tree import RouteTree, conditions_of
from remediator.errors import Permanent
from remediator.rulebook.lines import Line

INTAKE = "/api/v1/alertmanager"
"""Where the daemon takes alerts; one more path segment may follow."""

_HIDDEN = "<secret>"
_OUR_NAME = "remediator"


@dataclass(frozen=True, slots=True)
class Webhook:
    """One entry of a receiver's webhook_configs."""

    receiver: str
    place: str | None
    """`host:port/path` of the address; None when Alertmanager hides it."""
    ours: bool
    """The address leads to our intake or, where it is hidden, the receiver is called after us. Before the last slash of
    a receiver's name the Prometheus operator writes a namespace and an object."""
    send_resolved: bool
    max_alerts: int
    has_credentials: bool


@dataclass(frozen=True, slots=True)
class Route:
    """One route with what it inherits."""

    receiver: str
    matchers: str
    """As people write them; empty for the top route and for one that takes everything."""
    group_by: tuple[str, ...]
    goes_on: bool
    """Alerts it takes are offered to the routes after it, and there are some."""
    reachable: bool
    """No route before it takes every alert and keeps it."""
    line: Line | None
    """All that an alert has to meet to come here, the conditions of its parents included; None where some cannot be
    read."""

    @property
    def title(self) -> str:
        return f"the route {{{self.matchers}}}" if self.matchers else "a route that takes every alert"


@dataclass(frozen=True, slots=True)
class Routing:
    """Everything that may lead to us."""

    webhooks: tuple[Webhook, ...]
    routes: tuple[Route, ...]
    top: RouteTree
    silent: frozenset[str]
    """Receivers that tell nobody: no integration is configured."""

    @property
    def ours(self) -> tuple[Webhook, ...]:
        return tuple(each for each in self.webhooks if each.ours)

    def to(self, receiver: str) -> tuple[Route, ...]:
        return tuple(each for each in self.routes if each.receiver == receiver)


def read_routing(original: str) -> Routing:
    """Raises Permanent when it is not an Alertmanager's configuration."""
    try:
        document = yaml.safe_load(original)
        webhooks = tuple(
            _webhook(str(receiver["name"]), each)
            for receiver in document.get("receivers") or ()
            for each in receiver.get("webhook_configs") or ()
        )
        top = document["route"]
        routes = tuple(_routes(top, str(top["receiver"]), (), (), last=True, reachable=True))
        silent = frozenset(str(each["name"]) for each in document.get("receivers") or () if _is_silent(each))
        return Routing(webhooks, routes, RouteTree.of(top, str(top["receiver"])), silent)
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise Permanent(f"its configuration cannot be read: {type(error).__name__}") from error


def _is_silent(receiver: dict[str, Any]) -> bool:
    return not any(entries for kind, entries in receiver.items() if kind.endswith("_configs"))


def _webhook(receiver: str, entry: dict[str, Any]) -> Webhook:
    address = str(entry.get("url") or _HIDDEN)
    http = entry.get("http_config") or {}  # the global one where it has none of its own
    hidden = address == _HIDDEN
    parts = urlsplit("" if hidden else address)
    path = parts.path.rstrip("/")
    return Webhook(
        receiver=receiver,
        # Without user and query, in which people put secrets.
        place=None if hidden else f"{parts.netloc.rpartition('@')[2]}{parts.path}",
        ours=_OUR_NAME in receiver.rpartition("/")[2]
        if hidden
        else path == INTAKE or path.rpartition("/")[0] == INTAKE,
        send_resolved=entry.get("send_resolved", True) is not False,
        max_alerts=int(entry.get("max_alerts") or 0),
        # What the intake knows: a bearer token, however it is come by, and basic auth. Not a client certificate.
        has_credentials=any(
            http.get(kind) for kind in ("authorization", "basic_auth", "oauth2", "bearer_token")
        ),
    )


def _routes(
    route: dict[str, Any],
    receiver: str,
    group_by: tuple[str, ...],
    above: Line | None,
    *,
    last: bool,
    reachable: bool,
) -> Iterator[Route]:
    """A route and all below it, in order; what a child leaves out it has from its parent."""
    own, unread = conditions_of(route)
    line = None if above is None or unread else above + own
    receiver = str(route.get("receiver") or receiver)
    group_by = tuple(map(str, route.get("group_by") or group_by))
    goes_on = bool(route.get("continue")) and not last
    yield Route(receiver, _matchers(route), group_by, goes_on, reachable, line)
    children = route.get("routes") or []
    for number, child in enumerate(children):
        is_last = number == len(children) - 1
        yield from _routes(child, receiver, group_by, line, last=is_last, reachable=reachable)
        if not _matchers(child) and not child.get("continue"):
            reachable = False


def _matchers(route: dict[str, Any]) -> str:
    """All three ways to write them; `match` and `match_re` are the old ones."""
    old = [f'{name}="{value}"' for name, value in (route.get("match") or {}).items()]
    old += [f'{name}=~"{value}"' for name, value in (route.get("match_re") or {}).items()]
    return ", ".join([*old, *map(str, route.get("matchers") or ())])
