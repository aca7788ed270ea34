"""The fault points: each is somewhere in the product, does what is asked of it, and nothing when nothing is asked."""

import ast
import os
import signal
import subprocess
import sys
import timeit
from pathlib import Path

import pytest

from remediator import fault_points
from remediator.fault_points import Fault, FaultPoint, reach

PRODUCT = Path(fault_points.__file__).parent


def called() -> set[str]:
    """The points that product code names outside of the module that defines them."""
    return {
        node.attr
        for path in PRODUCT.rglob("*.py")
        if path != Path(fault_points.__file__)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "FaultPoint"
    }


def test_there_are_forty_and_each_has_a_sentence_of_its_own() -> None:
    assert list(FaultPoint.__members__) == [f"J{number:02}" for number in range(1, 41)]
    assert len({point.value for point in FaultPoint}) == 40


def test_every_point_is_reached_somewhere_in_the_product_and_no_other_is() -> None:
    assert called() == set(FaultPoint.__members__)


def process(fault: str, code: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", f"from remediator.fault_points import *\n{code}"],
        env={**os.environ, fault_points.VARIABLE: fault},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_kill_comes_when_the_point_is_reached_for_the_given_time() -> None:
    code = "for time in (1, 2, 3): print(time, flush=True); reach(FaultPoint.J01); reach(FaultPoint.J28)"
    ended = process("J28:kill:2", code)
    out, _ = ended.communicate(timeout=20)
    assert (ended.returncode, out.split()) == (-signal.SIGKILL, ["1", "2"])


def test_a_stop_lasts_until_somebody_says_go_on() -> None:
    stopped = process("J26:stop", "reach(FaultPoint.J26); print('went on')")
    _, status = os.waitpid(stopped.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    os.kill(stopped.pid, signal.SIGCONT)
    out, _ = stopped.communicate(timeout=20)
    assert out == "went on\n"


DROPPED = """
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
other, _ = server.accept()
reach(FaultPoint.J24)
print(client.recv(1), other.recv(1))
again = socket.create_connection(server.getsockname())
print("listens")
"""


def test_a_drop_cuts_every_connection_and_goes_on_listening() -> None:
    ended = process("J24:drop", DROPPED)
    out, wrong = ended.communicate(timeout=20)
    assert (out, wrong) == ("b'' b''\nlistens\n", "")


ONCE_SENT = """
import asyncio
async def main():
    arm(lambda point: print(point.name, flush=True))
    reach_once_sent(FaultPoint.J04)
    print("sends", flush=True)
    await asyncio.sleep(0)
    print("reads the answer")
asyncio.run(main())
"""


def test_a_point_once_sent_comes_between_sending_and_reading_the_answer() -> None:
    ended = process("", ONCE_SENT)
    out, _ = ended.communicate(timeout=20)
    assert out.split("\n") == ["sends", "J04", "reads the answer", ""]


@pytest.mark.parametrize("text", ["J41:kill", "J01", "J01:", "J01:burn", "J01:kill:x", "28:kill"])
def test_what_is_no_fault_is_refused_and_the_refusal_says_what_one_is(text: str) -> None:
    with pytest.raises(ValueError, match="POINT:kill, stop or drop"):
        Fault.of(text)


def test_without_one_a_point_costs_next_to_nothing() -> None:
    point = FaultPoint.J28
    assert not fault_points.armed()
    assert timeit.timeit(lambda: reach(point), number=100_000) < 1.0, "10 microseconds a time would be seen"
