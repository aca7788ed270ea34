"""Starting a program that refuses to run as root, so that it ends with the process that started it."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_END_WITH_PARENT = str(Path(__file__).with_name("end_with_parent.py"))


@dataclass(frozen=True)
class Account:
    """Who a program runs as: a command to put before its own, and another user's ids where one is needed."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def own(self, path: Path) -> None:
        """Give a file or directory of ours to the program."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


@cache
def unprivileged_account() -> Account:
    """This user; for root a user namespace, in which files stay root's, or else the user nobody."""
    if os.geteuid() != 0:
        return Account()
    unshare = shutil.which("unshare")
    if unshare:
        prefix = (unshare, "-U", "--map-user=1000", "--map-group=1000")
        if subprocess.run([*prefix, "true"], capture_output=True, timeout=10, check=False).returncode == 0:
            return Account(prefix)
    nobody = pwd.getpwnam("nobody")
    return Account((), nobody.pw_uid, nobody.pw_gid)


def spawn(command: Sequence[str], *, output: int, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start `command` unprivileged, in a session of its own, its output going to the descriptor `output`.

    On Linux it gets SIGINT when the thread that called this ends, so call it from the main thread; on other
    systems it outlives an owner that was killed. A command that cannot be run is an exit with its reason in
    the output.
    """
    account = unprivileged_account()
    ids = ["-" if number is None else str(number) for number in (account.uid, account.gid)]
    wrapper = [sys.executable, "-I", "-S", _END_WITH_PARENT, str(os.getpid()), *ids]
    return subprocess.Popen(
        [*wrapper, *account.prefix, *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd="/",
        env=dict(environment),
        start_new_session=True,  # Ctrl-C is for the owner, who stops its programs last
    )


def exited(process: subprocess.Popen[bytes], *, within: float) -> bool:
    """Whether the process ends within so many seconds."""
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        return False
    return True
