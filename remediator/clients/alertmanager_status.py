"""What an Alertmanager peer says about itself: its version, its cluster, its configuration."""

from collections.abc import Mapping
from dataclasses import dataclass

from remediator.clients.http import HttpClient, place
from remediator.errors import Permanent


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """One answer of `/api/v2/status`."""

    version: str
    cluster: str
    """`ready`, `settling`, or `disabled` for one that stands alone."""
    peers: int
    """How many there are in its cluster, itself included; 0 when it stands alone."""
    config: str
    """Its configuration as YAML, defaults filled in and secrets replaced by `<secret>`."""


async def peer_status(
    http: HttpClient, url: str, headers: Mapping[str, str], *, deadline: float = 10.0
) -> PeerStatus:
    """Ask one peer, by the address its own pages stand under. Raises Retryable or Permanent."""
    document = await http.get_json(f"{url.rstrip('/')}/api/v2/status", headers=headers, deadline=deadline)
    try:
        cluster = document["cluster"]
        return PeerStatus(
            version=str(document["versionInfo"]["version"]),
            cluster=str(cluster["status"]),
            peers=len(cluster.get("peers") or ()),
            config=str(document["config"]["original"]),
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise Permanent(
            f"{place(url)} gave a status this version cannot read ({error!r}); is it an Alertmanager?"
        ) from error
