"""exporter-toolkit's `--web.config.file`: TLS, headers, a rate limit, and users with bcrypt hashes of their passwords.

https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md. The file, and the certificates it
names, are read again when they change; while it is bad what was read last stays in force, and log and metric say so.
"""

import logging
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bcrypt
import yaml
from pydantic import ValidationError

from remediator.errors import Permanent
from remediator.people.tls_config import Http, RateLimit, Tls
from remediator.settings.load import Settings
from remediator.settings.sections import Section

_HASH = re.compile(r"\$2[aby]\$(?P<cost>\d\d)\$(?P<salt>[./A-Za-z0-9]{22})[./A-Za-z0-9]{31}")
_HIGHEST_COST = 14
"""A second or two for each try; each step more takes twice as long."""
_NAMES = ("tls_server_config", "http_server_config", "basic_auth_users", "rate_limit")

_log = logging.getLogger(__name__)

_Stamp = tuple[tuple[int, int, int] | None, ...]


class _Sections(Section):
    tls_server_config: Tls | None = None
    http_server_config: Http = Http()
    rate_limit: RateLimit = RateLimit()


@dataclass(frozen=True, slots=True)
class Read:
    """One good file."""

    users: Mapping[str, bytes]
    """Every user's stored hash."""
    http: Http
    rate_limit: RateLimit
    tls: Tls | None
    context: ssl.SSLContext | None
    """Made of `tls`."""


class WebConfig:
    """The file as it was when it was good last."""

    def __init__(self, path: Path) -> None:
        """Raises Permanent when the file is wrong even now."""
        self._path = path
        self._read = _read(path)
        self._seen = self._stamp()
        self._said: str | None = None
        """The mistake that is in the log already."""
        self.on_reload: Callable[[bool], None] = lambda _: None
        """Told how each reload went."""

    @classmethod
    def of(cls, settings: Settings) -> "WebConfig | None":
        """The configured one, if any. Raises as the constructor does."""
        return None if settings.web_config_file is None else cls(settings.web_config_file)

    def read(self) -> Read:
        """What is in force now."""
        stamp = self._stamp()
        if stamp != self._seen or self._said is not None:
            self._reload()
            self._seen = stamp
        return self._read

    def _reload(self) -> None:
        try:
            found = _read(self._path)
            if (found.tls is None) != (self._read.tls is None):
                raise Permanent(
                    f"web.config.file {self._path}: whether TLS is spoken changes only with a restart"
                )
        except Permanent as reason:
            if reason.sentence != self._said:
                _log.error("what was in web.config.file before stays in force: %s", reason.sentence)
                self._said = reason.sentence
                self.on_reload(False)
            return
        self._read, self._said = found, None
        self.on_reload(True)
        _log.info("web.config.file was read again")

    def _stamp(self) -> _Stamp:
        tls = self._read.tls
        return tuple(_state(each) for each in (self._path, *(tls.files() if tls is not None else ())))


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_ino, status.st_mtime_ns, status.st_size)


def _read(path: Path) -> Read:
    """Raises Permanent with what is wrong."""
    found = _document(path)
    for name in found:
        if name not in _NAMES:
            raise Permanent(
                f"web.config.file {path}: there is no section {name!r}; there are {', '.join(_NAMES)}"
            )
    try:
        sections = _Sections.model_validate(
            {
                name: given
                for name in _NAMES
                if name != "basic_auth_users" and (given := found.get(name)) is not None
            }
        )
    except ValidationError as mistakes:
        first = mistakes.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Permanent(f"web.config.file {path}: {where}: {first['msg']}") from None
    tls = sections.tls_server_config
    if tls is not None:
        tls = tls.beside(path.parent)
    try:
        context = None if tls is None else tls.context()
    except Permanent as reason:
        raise Permanent(f"web.config.file {path}: {reason.sentence}") from reason
    return Read(_users(path, found), sections.http_server_config, sections.rate_limit, tls, context)


def _document(path: Path) -> Mapping[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as reason:
        raise Permanent(f"web.config.file {path} cannot be read: {reason.strerror}") from reason
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as reason:
        raise Permanent(f"web.config.file {path} is not YAML: {type(reason).__name__}") from reason
    if found is not None and not isinstance(found, dict):
        raise Permanent(f"web.config.file {path}: a mapping is expected")
    return found or {}


def _users(path: Path, sections: Mapping[str, Any]) -> dict[str, bytes]:
    users = sections.get("basic_auth_users")
    if users is not None and not isinstance(users, dict):
        raise Permanent(f"web.config.file {path}: basic_auth_users maps user names to bcrypt hashes")
    return {_name(path, name): _hash(path, name, value) for name, value in (users or {}).items()}


def _name(path: Path, name: Any) -> str:
    if isinstance(name, str) and name and ":" not in name and name.isprintable():
        return name
    raise Permanent(f"web.config.file {path}: {name!r} can be no user name: text without colons is expected")


def _hash(path: Path, name: str, value: Any) -> bytes:
    """The hash itself is never shown."""
    fitting = _HASH.fullmatch(value) if isinstance(value, str) else None
    if fitting is None or not _has_salt(fitting["salt"]):
        raise Permanent(
            f"web.config.file {path}: what stands for {name} is no bcrypt hash (htpasswd -nBC 10 '')"
        )
    if not 4 <= int(fitting["cost"]) <= _HIGHEST_COST:
        raise Permanent(f"web.config.file {path}: the cost of {name}'s hash must be 4 to {_HIGHEST_COST}")
    return fitting.group().encode()


def _has_salt(salt: str) -> bool:
    """Whether bcrypt can compute with it, tried at its lowest cost: the cost changes nothing about that."""
    try:
        bcrypt.hashpw(b"", b"$2b$04$" + salt.encode())
    except ValueError:
        return False
    return True
