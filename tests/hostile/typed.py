"""Runs commands as a shell would, without loading the program anew for each: one JSON line a command.

Each line is `{"argv", "out"}`; the command's output goes to the file `out`, its exit status is printed.
"""

import json
import os
import sys
from typing import TypedDict

from remediator.cli.main import main


class Typed(TypedDict):
    """One command, and the file its output goes to."""

    argv: list[str]
    out: str


def _child(typed: Typed) -> int:
    out = os.open(typed["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    try:
        return main(typed["argv"])
    except SystemExit as ended:
        return int(ended.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _serve() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            status = 70  # a traceback, which is what the caller looks for
            try:
                status = _child(json.loads(line))
            finally:
                kind, reason, where = sys.exc_info()
                if kind is not None and reason is not None:
                    sys.excepthook(kind, reason, where)
                sys.stderr.flush()
                os._exit(status)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    _serve()
