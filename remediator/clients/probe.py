"""One GET of an address that a rule names, and only of one that an operator has allowed.

A rule file is written by more people than remediator.yml is, and whoever could make the daemon ask any address could
ask the metadata service of the cloud for its credentials. So the host has to stand in `http_allow`, no address is ever
taken from an alert, redirects are not followed, and link-local addresses and a cloud's metadata services are never
asked, whatever their name.
"""

from collections.abc import Collection, Mapping
from typing import Annotated

from pydantic import AfterValidator
from yarl import URL

from remediator.clients.http import HttpAnswer, HttpClient
from remediator.clients.lookup import literal, never_asked, strangers_addresses


def why_no_probe(url: str) -> str | None:
    """Why an address as it is written can never be asked, or None."""
    try:
        parsed = URL(url)
    except ValueError:
        return "it is not an address"
    if parsed.scheme not in ("http", "https") or not parsed.host:
        return "it has to start with http:// or https:// and name a host"
    if parsed.user is not None or parsed.password is not None:
        return "it holds credentials, which do not belong into a rule"
    if parsed.fragment or "${" in url:
        return "nothing is filled in here, and a fragment is never sent"
    address = literal(parsed.host)
    why = never_asked(address) if address is not None else None
    return f"{parsed.host} is {why}, which is never asked" if why is not None else None


def _an_address(url: str) -> str:
    why = why_no_probe(url)
    if why is not None:
        raise ValueError(f"{url!r} cannot be asked: {why}")
    return url


Address = Annotated[str, AfterValidator(_an_address)]
"""An address as a rule may name it."""


def why_not_allowed(url: str, allowed: Collection[str]) -> str | None:
    """Why the settings do not allow this address, and how to mend that, or None when they do.

    Each of `allowed` is a host, for all its ports, or a host:port.
    """
    parsed = URL(url)
    host = f"{parsed.host}:{parsed.port}"
    if {str(parsed.host), host} & {each.lower() for each in allowed}:
        return None
    return f"{host} is not allowed: add it to http_allow in remediator.yml"


async def probe(
    http: HttpClient, url: str, deadline: float, headers: Mapping[str, str] | None = None
) -> HttpAnswer:
    """The answer to a GET, which takes at most `deadline` seconds.

    Raises Permanent for a name that leads to an address that is never asked, and else as HttpClient.request does.
    Whatever the name is said to lead to a moment later: the look-up of the connection itself refuses. A name
    that we cannot look up may still be known to a proxy.
    """
    await refuse_this_link(url)
    return await http.ask_stranger(url, headers, deadline=deadline)


async def refuse_this_link(url: str) -> list[str]:
    """The addresses its host has, none when nobody here knows it. Raises Permanent for those never asked."""
    parsed = URL(url)
    try:
        return await strangers_addresses(str(parsed.host), parsed.port or 80)
    except OSError:
        return []
