"""Who may post alerts. Everything is decided on headers alone."""

from hmac import compare_digest
from pathlib import Path
from typing import Protocol

from remediator.errors import Permanent
from remediator.people.secret_file import Headers, SecretFile, authorization, user_and_password
from remediator.settings.sections import BasicAuth, Intake


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
        given = user_and_password(offered)
        if given is None:
            return False
        right_name = compare_digest(self._username, given[0])
        return self._password.is_secret(given[1]) and right_name


class IntakeAuthentication:
    """Lets Alertmanager in. The same for every request of a daemon."""

    def __init__(self, settings: Intake, *, certificates: bool = False) -> None:
        """`certificates`: web.config.file verifies those of clients.

        Raises Permanent when nobody could ever be told from anybody else.
        """
        self._anybody = settings.insecure
        self._names = frozenset(settings.client_sans)
        if self._names and not certificates:
            raise Permanent(
                "intake.client_sans names certificates that nobody verifies: set client_auth_type and client_ca_file "
                "under tls_server_config in web.config.file"
            )
        self._accepted: list[Credentials] = []
        if settings.token_file is not None:
            self._accepted.append(BearerToken(settings.token_file))
        if settings.basic_auth is not None:
            self._accepted.append(BasicPassword(settings.basic_auth))
        if not self._accepted and not self._names and not self._anybody:
            raise Permanent(
                "nothing says who may post alerts: set intake.token_file, intake.basic_auth or "
                "intake.client_sans in remediator.yml, or intake.insecure: true, with which nothing is ever changed"
            )
        self.challenge = ", ".join(f'{each.scheme.title()} realm="remediator"' for each in self._accepted)
        """For the WWW-Authenticate header of a 401."""

    def admits(self, headers: Headers, names: frozenset[str] = frozenset()) -> bool:
        """Whether these headers come from Alertmanager, or its verified certificate has one of the right names.

        Raises Retryable when that cannot be told.
        """
        if self._anybody or not self._names.isdisjoint(names):
            return True
        scheme, offered = authorization(headers)
        return any(each.scheme == scheme and each.admit(offered) for each in self._accepted)
