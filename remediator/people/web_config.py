"""exporter-toolkit's `--web.config.file`: users and the bcrypt hashes of their passwords.

https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md. The file is read again when it
changes. While it is bad or gone nobody can be told: whoever was taken out of it must not stay in by a slip below.
"""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bcrypt
import yaml

from remediator.errors import Permanent, Retryable

_HASH = re.compile(r"\$2[aby]\$(?P<cost>\d\d)\$(?P<salt>[./A-Za-z0-9]{22})[./A-Za-z0-9]{31}")
_HIGHEST_COST = 14
"""A second or two for each try; each step more takes twice as long."""
_NOT_YET = ("tls_server_config", "http_server_config", "rate_limit")

_log = logging.getLogger(__name__)


class WebConfig:
    """The file as it is now."""

    def __init__(self, path: Path) -> None:
        """Raises Permanent when the file is wrong even now."""
        self._path = path
        self._seen = self._stamp()
        self._users = _users_in(path)
        self._said: str | None = None
        """The mistake that is in the log already."""

    def users(self) -> Mapping[str, bytes]:
        """Every user's stored hash. Raises Retryable while the file is bad or gone."""
        stamp = self._stamp()
        if stamp is None or stamp != self._seen:
            try:
                self._users = _users_in(self._path)
            except Permanent as reason:
                self._seen = None
                if reason.sentence != self._said:
                    _log.error("nobody is let in by password: %s", reason.sentence)
                self._said = reason.sentence
                raise Retryable(reason.sentence) from reason
            self._seen, self._said = stamp, None
        return self._users

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return (status.st_ino, status.st_mtime_ns, status.st_size)


def _users_in(path: Path) -> dict[str, bytes]:
    """Raises Permanent with what is wrong."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as reason:
        raise Permanent(f"web.config.file {path} cannot be read: {reason.strerror}") from reason
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as reason:
        raise Permanent(f"web.config.file {path} is not YAML: {type(reason).__name__}") from reason
    sections = {} if found is None else found
    if not isinstance(sections, dict):
        raise Permanent(f"web.config.file {path}: a mapping is expected")
    for name in sections:
        if name in _NOT_YET:
            raise Permanent(
                f"web.config.file {path}: {name} is not supported yet; leave TLS to a proxy in front"
            )
        if name != "basic_auth_users":
            raise Permanent(f"web.config.file {path}: there is no section {name!r}, only basic_auth_users")
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
