"""The HTTP client of the commands: JSON from and to a daemon, and errors that say what to do."""

import argparse
import http.client
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from remediator.errors import Permanent, Retryable

DEFAULT_URL = "http://127.0.0.1:9095"

_SECONDS = 15.0
_MOST_BYTES = 64 * 1024 * 1024


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options every command that asks a daemon takes."""
    parser.add_argument(
        "--url",
        default=os.environ.get("REMEDIATOR_URL") or DEFAULT_URL,
        help=f"the daemon to ask; {DEFAULT_URL} unless said otherwise (REMEDIATOR_URL)",
    )
    parser.add_argument(
        "--token-file",
        type=Path,
        default=os.environ.get("REMEDIATOR_TOKEN_FILE") or None,
        metavar="FILE",
        help="your token (REMEDIATOR_TOKEN_FILE)",
    )
    parser.add_argument("--output", choices=["text", "json"], default="text", help="json is for programs")


@dataclass(frozen=True, slots=True)
class Daemon:
    """A daemon, as one person asks it.

    Redirects are not followed and proxies not used: the token goes to the named host and nowhere else.
    """

    url: str
    token_file: Path | None

    @classmethod
    def named_by(cls, args: argparse.Namespace) -> "Daemon":
        """The one that the options of `add_options` name."""
        return cls(args.url, Path(args.token_file) if args.token_file else None)

    def get(self, path: str, query: Mapping[str, object] | None = None) -> Any:
        """The JSON document at `path`; raises as `ask` does."""
        named = {name: value for name, value in (query or {}).items() if value is not None}
        return self.ask("GET", f"{path}?{urlencode(named)}" if named else path)

    def ask(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> Any:
        """Send one request and return the answer's JSON document.

        Raises Retryable when the daemon cannot be reached or is not ready, and Permanent when it refuses.
        """
        address = self._address()
        body = None if content is None else json.dumps(content)
        headers = {"Accept": "application/json", **self._authorization()}
        if method != "GET":
            headers["Content-Type"] = "application/json"  # also without a body: nothing is changed otherwise
        connection = _connect(address)
        try:
            connection.request(method, address.path.rstrip("/") + path, body, headers)
            answer = connection.getresponse()
            status, text = answer.status, answer.read(_MOST_BYTES + 1)
        except (OSError, http.client.HTTPException) as reason:
            raise Retryable(self._unreachable(reason)) from reason
        finally:
            connection.close()
        return self._content(status, text)

    def _content(self, status: int, text: bytes) -> Any:
        try:
            content = json.loads(text) if len(text) <= _MOST_BYTES else None
        except ValueError:
            content = None
        if content is None:
            raise Permanent(
                f"what answers at {self.url} is not remediator (status {status}): is --url right?"
            )
        if 200 <= status < 300:
            return content
        raise self._refusal(status, content if isinstance(content, dict) else {})

    def _refusal(self, status: int, content: Mapping[str, Any]) -> Permanent | Retryable:
        said = str(content.get("error") or f"the daemon answered with status {status}")
        hint = content.get("hint")
        if status == 401:
            said = f"the daemon at {self.url} does not know you"
            given = "give it with --token-file or REMEDIATOR_TOKEN_FILE"
            if self.token_file is not None:
                given = f"the token in {self.token_file} is not one of them"
            hint = f"It knows those listed under people in remediator.yml by their tokens: {given}."
        sentence = f"{said}\n{hint}" if hint else said
        return Retryable(sentence) if status in (429, 503) else Permanent(sentence)

    def _address(self) -> SplitResult:
        try:
            address = urlsplit(self.url)
            if address.scheme in ("http", "https") and address.hostname and address.port != 0:
                return address
        except ValueError:
            pass
        raise Permanent(f"--url must be like {DEFAULT_URL}, not {self.url!r}")

    def _authorization(self) -> dict[str, str]:
        if self.token_file is None:
            return {}
        try:
            token = self.token_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as reason:
            why = reason.strerror if isinstance(reason, OSError) else "it holds more than a token"
            raise Permanent(f"the token in {self.token_file} cannot be read: {why}") from reason
        if not token.isprintable():
            raise Permanent(f"the token in {self.token_file} cannot be read: it holds more than a token")
        return {"Authorization": f"Bearer {token}"}

    def _unreachable(self, reason: OSError | http.client.HTTPException) -> str:
        if isinstance(reason, TimeoutError):
            why = f"no answer within {_SECONDS:g} s"
        elif isinstance(reason, socket.gaierror):
            why = "its name cannot be resolved"
        else:
            why = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        return (
            f"the daemon at {self.url} cannot be reached: {why}\n"
            "Is it running, and does --url (or REMEDIATOR_URL) name it?"
        )


def _connect(address: SplitResult) -> http.client.HTTPConnection:
    host = address.hostname or ""
    if address.scheme == "https":
        return http.client.HTTPSConnection(host, address.port, timeout=_SECONDS)
    return http.client.HTTPConnection(host, address.port, timeout=_SECONDS)
