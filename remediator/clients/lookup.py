"""Which addresses a host has, and which of them are never asked, whatever the name that leads there."""

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp.abc import AbstractResolver, ResolveResult

from remediator.errors import Permanent

_Address = IPv4Address | IPv6Address
_METADATA = frozenset(
    ip_address(each)
    for each in ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
)
"""Where Azure, Alibaba, Oracle, AWS and Google answer a machine beside 169.254.169.254, by their documentation."""
_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052: the last four bytes are the IPv4 address that is meant."""


class StrangersLookup(AbstractResolver):
    """Looks names up for a connection that is to lead nowhere near: what is checked is what is connected to."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises Permanent for a name that leads to what is never asked, OSError for one that nobody knows."""
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET6 if address.version == 6 else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in await strangers_addresses(host, port)
            if family in (socket.AF_UNSPEC, socket.AF_INET6 if address.version == 6 else socket.AF_INET)
        ]

    async def close(self) -> None:
        """There is nothing to close."""


async def strangers_addresses(host: str, port: int) -> list[_Address]:
    """What a host of which only the name was allowed leads to. Raises as `StrangersLookup` does."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [each for *_, place in found if (each := literal(str(place[0]))) is not None]
    for each in addresses:
        why = never_asked(each)
        if why is not None:
            raise Permanent(f"{host} leads to {each}, {why}, which is never asked")
    return addresses


def literal(host: str) -> _Address | None:
    """The address that a host is, None for a name."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def never_asked(address: _Address) -> str | None:
    """What it is when it is this link's (169.254.0.0/16, fe80::/10), a cloud's own or nobody's; None for others.

    However it is written: as an IPv4 address inside an IPv6 one as well.
    """
    meant = _inside(address)
    if meant in _METADATA:
        return "the metadata service of a cloud"
    if meant.is_link_local or meant.is_unspecified or meant.is_multicast:
        return "a link-local address"
    return None


def _inside(address: _Address) -> _Address:
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address
