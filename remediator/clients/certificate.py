"""Until when an X.509 certificate is good, also one that is not trusted: Python reads only those that are."""

from collections.abc import Iterator
from datetime import UTC, datetime

_SEQUENCE, _UTC_TIME, _GENERALIZED_TIME, _VERSION = 0x30, 0x17, 0x18, 0xA0


def not_after(certificate: bytes) -> datetime | None:
    """The end of its validity (RFC 5280, 4.1.2.5); None when this is no certificate in DER."""
    try:
        (_, whole), *_ = _elements(certificate)
        (_, signed), *_ = _elements(whole)
        fields = [each for each in _elements(signed) if each[0] != _VERSION]
        # serialNumber, signature, issuer, validity
        tag, validity = fields[3]
        _, (kind, until) = list(_elements(validity))[:2]
    except (IndexError, ValueError):
        return None
    return _moment(kind, until) if tag == _SEQUENCE else None


def _moment(kind: int, text: bytes) -> datetime | None:
    try:
        digits = text.decode("ascii")
        if kind == _UTC_TIME:
            digits = ("19" if digits >= "50" else "20") + digits
        elif kind != _GENERALIZED_TIME:
            return None
        return datetime.strptime(digits, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element, one after the other. Raises IndexError where the bytes end too early."""
    at = 0
    while at < len(der):
        tag, length = der[at], der[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(der[at : at + size])
            at += size
        if at + length > len(der):
            raise IndexError("an element is longer than what is there")
        yield tag, der[at : at + length]
        at += length
