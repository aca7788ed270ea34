"""Basic authentication against bcrypt hashes, off the event loop and without telling who exists."""

import asyncio
import secrets
from collections import OrderedDict
from hashlib import sha256
from hmac import digest as hmac_digest

import bcrypt

from remediator.errors import Retryable
from remediator.people.web_config import WebConfig

_MOST_REMEMBERED = 128
_AT_ONCE = 2
_MOST_WAITING = 16
_BCRYPT_READS = 72
"""bcrypt looks at no more bytes of a password; a longer one is refused instead of cut."""
_NOBODYS = b"$2b$10$Iep1hp6PoryJkbqGx6BqMuDAsUjCvSLUWZc78SvaIyF9aKLv6.mvy"
"""A hash of nothing anybody knows, for when there is no user to take the time of."""


class Passwords:
    """Recognises users of web.config.file."""

    def __init__(self, config: WebConfig) -> None:
        self._config = config
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, None] = OrderedDict()
        """Keyed digests of stored hash, user and password that were right: a changed hash is another key."""
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    def knows(self, name: str) -> bool:
        """Whether there is such a user now."""
        return name in self._config.read().users

    async def admits(self, name: str, password: bytes) -> bool:
        """Whether this is the user's password. An unknown user takes as long as the known one who takes longest.

        Raises Retryable when too many are asked about at once.
        """
        users = self._config.read().users
        stored = users.get(name)
        compared = stored or max(users.values(), key=_cost, default=_NOBODYS)
        key = self._keyed(compared, name.encode(), password)
        if stored is not None and key in self._right:
            self._right.move_to_end(key)
            return True
        right = await self._check(password, compared)
        if stored is None or not right:
            return False
        self._right[key] = None
        while len(self._right) > _MOST_REMEMBERED:
            self._right.popitem(last=False)
        return True

    async def _check(self, password: bytes, stored: bytes) -> bool:
        if self._waiting >= _MOST_WAITING:
            raise Retryable("too many passwords are being looked at at once")
        self._waiting += 1
        try:
            async with self._turns:
                right = await asyncio.to_thread(bcrypt.checkpw, password[:_BCRYPT_READS], stored)
        finally:
            self._waiting -= 1
        return right and len(password) <= _BCRYPT_READS

    def _keyed(self, *parts: bytes) -> bytes:
        told_apart = b"".join(sha256(part).digest() for part in parts)
        return hmac_digest(self._key, told_apart, "sha256")


def _cost(stored: bytes) -> bytes:
    """Two digits, as in `$2b$10$`."""
    return stored[4:6]
