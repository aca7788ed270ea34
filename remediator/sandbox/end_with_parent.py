"""Run as a program: become another user if told so, ask to end with the parent, become the command.

    end_with_parent.py PARENT_PID UID GID COMMAND...        (- for UID and GID: stay who we are)

A program of its own, because code run between fork and exec in a process with threads may hang. It imports
little, because it runs before every start. On systems other than Linux nothing ends with its parent.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2)


def main(parent: str, uid: str, gid: str, *command: str) -> None:
    if uid != "-":
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)  # after setuid, which clears it
    if os.getppid() != int(parent):  # it died before the line above
        sys.exit("the parent process is gone")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and that would be inherited
    try:
        os.execv(command[0], command)
    except OSError as error:
        sys.exit(f"cannot run {command[0]}: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
