"""Which addresses a host has, and which of them are never asked, whatever the name that leads there."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp.abc import AbstractResolver, ResolveResult

from remediator.errors import Permanent

_Address = IPv4Address | IPv6Address
_Found = tuple[socket.AddressFamily, str]
_METADATA = frozenset(
    ip_address(each)
    for each in ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
)
"""Where Azure, Alibaba, Oracle, AWS and Google answer a machine beside 169.254.169.254, by their documentation."""
_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052: the last four bytes are the IPv4 address that is meant."""


_THREADS = 4
_OF_SETTINGS, _OF_STRANGERS = (
    ThreadPoolExecutor(_THREADS, f"look-up-{whose}") for whose in ("settings", "strangers")
)
"""A look-up that hangs keeps its thread long after nobody waits for it, and must not keep anybody else's."""


class Lookup(AbstractResolver):
    """Looks names up for connections, in threads that do nothing else."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises OSError for a name that nobody knows."""
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=each, proto=0, flags=socket.AI_NUMERICHOST
            )
            for each, address in await self._found(host, port)
            if family in (socket.AF_UNSPEC, each)
        ]

    async def close(self) -> None:
        """There is nothing to close."""

    async def _found(self, host: str, port: int) -> list[_Found]:
        return await _looked_up(_OF_SETTINGS, host, port)


class StrangersLookup(Lookup):
    """For a connection that is to lead nowhere near: what is checked is what is connected to.

    Its `resolve` raises Permanent too, for a name that leads to what is never asked.
    """

    async def _found(self, host: str, port: int) -> list[_Found]:
        found = await _looked_up(_OF_STRANGERS, host, port)
        for _, written in found:
            address = literal(written)
            why = never_asked(address) if address is not None else None
            if why is not None:
                raise Permanent(f"{host} leads to {address}, {why}, which is never asked")
        return found


async def strangers_addresses(host: str, port: int) -> list[str]:
    """What a host of which only the name was allowed leads to. Raises as StrangersLookup does."""
    found = await StrangersLookup().resolve(host, port, socket.AF_UNSPEC)
    return [each["host"] for each in found]


async def _looked_up(threads: ThreadPoolExecutor, host: str, port: int) -> list[_Found]:
    known = literal(host)
    if known is not None:
        return [(socket.AF_INET6 if known.version == 6 else socket.AF_INET, host)]
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    found = await asyncio.get_running_loop().run_in_executor(threads, ask)
    return [
        (family, f"{place[0]}%{place[3]}" if len(place) == 4 and place[3] else str(place[0]))
        for family, *_, place in found
    ]


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
