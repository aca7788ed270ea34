"""One GET of an address that a rule names, and only of one that an operator has allowed.

A rule file is written by more people than remediator.yml is, and whoever could make the daemon ask any address could
ask the metadata service of the cloud for its credentials. So the host has to stand in `http_allow`, no address is ever
taken from an alert, redirects are not followed, and link-local addresses are never asked, whatever their name.
"""

import asyncio
import socket
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated

from pydantic import AfterValidator
from yarl import URL

from remediator.clients.http import HttpClient, place
from remediator.errors import Permanent

_Address = IPv4Address | IPv6Address


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
    literal = _literal(parsed.host)
    if literal is not None and _of_this_link(literal):
        return f"{parsed.host} is a link-local address, which is never asked"
    return None


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


async def probe(http: HttpClient, url: str, deadline: float) -> int:
    """The status of a GET, which takes at most `deadline` seconds.

    Raises Permanent for a name that leads to a link-local address, and else as HttpClient.request does. A name
    that we cannot look up may still be known to a proxy.
    """
    await refuse_this_link(url)
    return (await http.request("GET", url, deadline=deadline)).status


async def refuse_this_link(url: str) -> list[str]:
    """The addresses its host has, none when nobody here knows it. Raises Permanent for link-local ones."""
    parsed = URL(url)
    found = await _addresses(str(parsed.host), parsed.port or 80)
    for address in found:
        if _of_this_link(address):
            raise Permanent(f"{place(url)} leads to {address}, a link-local address, which is never asked")
    return [str(each) for each in found]


async def _addresses(host: str, port: int) -> list[_Address]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return [each for *_, place in found if (each := _literal(str(place[0]))) is not None]


def _literal(host: str) -> _Address | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _of_this_link(address: _Address) -> bool:
    """169.254.0.0/16 and fe80::/10, also written as an IPv4-mapped IPv6 address, and what stands for no address."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    meant = mapped or address
    return meant.is_link_local or meant.is_unspecified or meant.is_multicast
