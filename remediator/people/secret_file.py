"""Secrets in files, and what of them stands in an Authorization header.

Files are read again whenever they change. A trailing newline is not part of a secret, an empty file admits
nobody, and a file that cannot be read is Retryable: whoever asks may be right.
"""

import binascii
from base64 import b64decode
from hmac import compare_digest
from pathlib import Path

from multidict import CIMultiDict, CIMultiDictProxy

from remediator.errors import Permanent, Retryable

Headers = CIMultiDict[str] | CIMultiDictProxy[str]


class SecretFile:
    """One secret in one file."""

    def __init__(self, path: Path) -> None:
        """Raises Permanent when the file cannot be read even now."""
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._secret = b""
        try:
            self.read()
        except Retryable as reason:
            raise Permanent(reason.sentence) from reason

    def is_secret(self, offered: bytes) -> bool:
        """Compare in a time that does not depend on where the difference is. Raises Retryable."""
        secret = self.read()
        return compare_digest(secret, offered) and secret.strip() != b""

    def read(self) -> bytes:
        """The secret as it is now. Raises Retryable when the file cannot be read."""
        try:
            status = self._path.stat()
            stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
            if stamp != self._seen:
                self._secret = self._path.read_bytes().rstrip(b"\r\n")
                self._seen = stamp
        except OSError as reason:
            raise Retryable(f"the secret in {self._path} cannot be read: {reason.strerror}") from reason
        return self._secret


def authorization(headers: Headers) -> tuple[str, bytes]:
    """Scheme in lower case and what follows it; nothing when there are several such headers."""
    values = headers.getall("Authorization", [])
    if len(values) != 1:
        return "", b""
    scheme, _, offered = values[0].partition(" ")
    return scheme.lower(), offered.strip().encode("utf-8", "surrogateescape")


def user_and_password(offered: bytes) -> tuple[bytes, bytes] | None:
    """What stands behind `Basic`; None when it is not that."""
    try:
        user, colon, password = b64decode(offered, validate=True).partition(b":")
    except binascii.Error:
        return None
    return (user, password) if colon else None
