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
        scheme, offered = authorization(headers)
        return any(each.scheme == scheme and each.admit(offered) for each in self._accepted)
