"""Who may post alerts, and who may use the API. Everything is decided on headers alone.

Secrets stand in files, which are read again whenever they change. A trailing newline is not part of
a secret, an empty file admits nobody, and a file that cannot be read is Retryable: whoever asks may
be right.
"""

import binascii
from base64 import b64decode
from collections.abc import Sequence
from hmac import compare_digest
from pathlib import Path
from typing import Protocol

from multidict import CIMultiDict, CIMultiDictProxy

from remediator.domain.value import Value
from remediator.errors import Permanent, Retryable
from remediator.settings.sections import BasicAuth, Intake, Person, Role

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


class Credentials(Protocol):
    """One way to prove who one is."""

    scheme: str

    def admit(self, offered: bytes) -> bool:
        """Judge what stands behind the scheme in the Authorization header. Raises Retryable."""


class BearerToken:
    """`Authorization: Bearer <token>`, which Alertmanager sends for `authorization:`."""

    scheme = "bearer"

    def __init__(self, path: Path) -> None:
        self._token = SecretFile(path)

    def admit(self, offered: bytes) -> bool:
        return self._token.is_secret(offered)


class BasicPassword:
    """`Authorization: Basic <user:password>`, which Alertmanager sends for `basic_auth:`."""

    scheme = "basic"

    def __init__(self, settings: BasicAuth) -> None:
        self._username = settings.username.encode()
        self._password = SecretFile(settings.password_file)

    def admit(self, offered: bytes) -> bool:
        try:
            username, colon, password = b64decode(offered, validate=True).partition(b":")
        except binascii.Error:
            return False
        right_name = compare_digest(self._username, username)
        return self._password.is_secret(password) and right_name and colon != b""


class IntakeAuthentication:
    """Lets Alertmanager in. The same for every request of a daemon."""

    def __init__(self, settings: Intake) -> None:
        """Raises Permanent when nobody could ever be told from anybody else."""
        self._anybody = settings.insecure
        self._accepted: list[Credentials] = []
        if settings.token_file is not None:
            self._accepted.append(BearerToken(settings.token_file))
        if settings.basic_auth is not None:
            self._accepted.append(BasicPassword(settings.basic_auth))
        if not self._accepted and not self._anybody:
            raise Permanent(
                "nothing says who may post alerts: set intake.token_file or intake.basic_auth in "
                "remediator.yml, or intake.insecure: true, with which nothing is ever changed"
            )
        self.challenge = ", ".join(f'{each.scheme.title()} realm="remediator"' for each in self._accepted)
        """For the WWW-Authenticate header of a 401."""

    def admits(self, headers: Headers) -> bool:
        """Whether these headers come from Alertmanager. Raises Retryable when that cannot be told."""
        if self._anybody:
            return True
        scheme, offered = _authorization(headers)
        return any(each.scheme == scheme and each.admit(offered) for each in self._accepted)


class Principal(Value):
    """Somebody who was recognised."""

    name: str
    roles: frozenset[Role]


class People:
    """Those who may use the API, by their bearer tokens."""

    def __init__(self, people: Sequence[Person]) -> None:
        """Raises Permanent when two people have one name, or one token."""
        self._tokens = [
            (Principal(name=each.name, roles=frozenset(each.roles)), SecretFile(each.token_file))
            for each in people
        ]
        if len({each.name for each in people}) != len(people):
            raise Permanent("people: two of them have the same name")
        if len({each.token_file for each in people}) != len(people):
            raise Permanent("people: two of them share a token_file, so nobody could tell them apart")

    def recognise(self, headers: Headers) -> Principal | None:
        """Who these headers come from. Every token is compared, so that time tells nothing.

        A token that two people have belongs to nobody. Raises Retryable when it may be the token of
        somebody whose file cannot be read.
        """
        scheme, offered = _authorization(headers)
        if scheme != "bearer":
            return None
        found: list[Principal] = []
        unreadable: Retryable | None = None
        for who, token in self._tokens:
            try:
                if token.is_secret(offered):
                    found.append(who)
            except Retryable as reason:
                unreadable = reason
        if unreadable is not None and not found:
            raise unreadable
        return found[0] if len(found) == 1 else None


def _authorization(headers: Headers) -> tuple[str, bytes]:
    """Scheme in lower case and what follows it; nothing when there are several such headers."""
    values = headers.getall("Authorization", [])
    if len(values) != 1:
        return "", b""
    scheme, _, offered = values[0].partition(" ")
    return scheme.lower(), offered.strip().encode("utf-8", "surrogateescape")
