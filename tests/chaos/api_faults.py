"""The faults of an API server, and every kind of request on the way of an alert that they can befall."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from remediator.sandbox.kubernetes import Fault
from remediator.sandbox.kubernetes.effects import LoggedRequest
from remediator.sandbox.kubernetes.faults import (
    Action,
    AnswerStatus,
    ApplyThenFail,
    ApplyThenHang,
    DropBeforeApplying,
    HangBeforeApplying,
    PretendSuccess,
)
from remediator.sandbox.kubernetes.request import Call
from tests.support.request_kinds import kind_of

FAULTS: Mapping[str, Action] = {
    "409": AnswerStatus(409, "Conflict"),
    "422": AnswerStatus(422, "Invalid"),
    "429": AnswerStatus(429, "TooManyRequests", headers={"Retry-After": "1"}),
    "401": AnswerStatus(401, "Unauthorized"),
    "403": AnswerStatus(403, "Forbidden"),
    "404": AnswerStatus(404, "NotFound"),
    "410": AnswerStatus(410, "Expired"),
    "500": AnswerStatus(500, "InternalError"),
    "503": AnswerStatus(503, "ServiceUnavailable"),
    "reset": DropBeforeApplying(),
    "timeout before": HangBeforeApplying(),
    "applied, then timeout": ApplyThenHang(),
    "applied, then 500": ApplyThenFail(),
    "200, not applied": PretendSuccess(),
}
HANGING = frozenset({"timeout before", "applied, then timeout"})
WRITES = frozenset({"claim", "rehearsal", "effect", "create events with application/json"})
MEMORY = frozenset(
    f"{verb} {resource}"
    for verb in ("list", "watch")
    for resource in (
        "configmaps",
        "controllerrevisions.apps",
        "daemonsets.apps",
        "deployments.apps",
        "pods",
        "replicasets.apps",
        "statefulsets.apps",
    )
)
"""What the memory asks before there is any alert."""
_OWN_RIGHTS = "create selfsubjectrulesreviews.authorization.k8s.io with application/json"
WAY = frozenset(
    {
        *WRITES,
        _OWN_RIGHTS,
        "get deployments.apps",
        "get namespaces",
        "get pods/log",
        "list canaries.flagger.app",
        "list events",
        "list horizontalpodautoscalers.autoscaling",
        "list jobs.batch",
        "list mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "list poddisruptionbudgets.policy",
        "list pods",
        "list replicasets.apps",
        "list resourcequotas",
        "list rollouts.argoproj.io",
        "list scaledobjects.keda.sh",
        "list validatingwebhookconfigurations.admissionregistration.k8s.io",
        "list verticalpodautoscalers.autoscaling.k8s.io",
    }
)
"""What is asked from the alert on; a test holds both against a story in which nothing goes wrong."""
_EVERYWHERE = frozenset(
    {
        _OWN_RIGHTS,
        "list mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "list validatingwebhookconfigurations.admissionregistration.k8s.io",
    }
)
"""Kinds that name no shop: whichever asks next has the fault."""
_IN_A_CYCLE = 6


@dataclass(frozen=True)
class Laid:
    """One fault: at the `nth` request of a kind, counted from the alert on, or of the memory before it."""

    kind: str
    nth: int
    fault: str
    memory: bool = False

    @property
    def what(self) -> str:
        """Fault and kind, wherever on the way."""
        return f"{self.fault} at {self.kind}{' of the memory' if self.memory else ''}"

    def __str__(self) -> str:
        return f"{self.what}, the {self.nth}."

    def trap(self, shop: str, hit: Callable[[], None]) -> Fault:
        """For the emulator; `hit` is called when it springs."""
        seen = 0

        def when(call: Call, user: str) -> bool:
            nonlocal seen
            if user != "remediator" or kind_of_call(call) != self.kind:
                return False
            seen += 1
            if seen == self.nth:
                hit()
            return seen == self.nth

        where = "" if self.kind in _EVERYWHERE else rf"/namespaces/{shop}(/|$)"
        return Fault("*", where, FAULTS[self.fault], when=when)


@dataclass(frozen=True)
class Cycle:
    """What befalls one shop's story. A write has a cycle of its own; of other requests there are several in one."""

    laid: Sequence[Laid] = field(default_factory=tuple)

    @property
    def hangs(self) -> bool:
        return any(each.fault in HANGING for each in self.laid)

    def __str__(self) -> str:
        return "; ".join(str(each) for each in self.laid)


def kind_of_call(call: Call) -> str:
    """As `kind_of`, with the three that are the same patch told apart."""
    if call.method == "PATCH":
        if "dryRun" in call.query:
            return "rehearsal"
        return "effect" if b"remediator.io~1attempt" in call.body else "claim"
    return kind_of(call.method, call.path, call.query, call.media_type)


def kind_of_logged(request: LoggedRequest) -> str:
    """The same of the log, which keeps no bodies: a claim and an effect are both `patch`."""
    if request.method == "PATCH":
        return "rehearsal" if "dryRun" in request.query else "patch"
    return kind_of(request.method, request.path, request.query, request.content_type)


def every() -> list[Laid]:
    """Every fault at every kind of the way, then at every kind of the memory, the first of each."""
    way = [Laid(kind, 1, fault) for kind in sorted(WAY) for fault in _befalling(kind)]
    return way + [Laid(kind, 1, fault, memory=True) for kind in sorted(MEMORY) for fault in _befalling(kind)]


def plan(seed: int, faults: int, times: Mapping[str, int]) -> list[Cycle]:
    """So many faults in cycles: every fault at every kind of the way first, then the memory's, then anything again.

    `times` says how often each kind is asked on the way when nothing goes wrong.
    """
    random = Random(seed)
    way = [each for each in every() if not each.memory]
    memory = [each for each in every() if each.memory]
    random.shuffle(memory)

    def somewhere(laid: Laid) -> Laid:
        return replace(laid, nth=random.randint(1, max(1, times.get(laid.kind, 1))))

    chosen = [somewhere(each) for each in way] + memory
    chosen += [somewhere(random.choice(way)) for _ in range(faults - len(chosen))]
    return _in_cycles(chosen[:faults], random)


def _befalling(kind: str) -> list[str]:
    """A read applies nothing, so that it cannot be answered as if it had."""
    return [each for each in FAULTS if kind in WRITES or each != "200, not applied"]


def _in_cycles(chosen: Iterable[Laid], random: Random) -> list[Cycle]:
    alone: list[Cycle] = []
    together: dict[bool, list[Laid]] = {True: [], False: []}
    for each in chosen:
        if each.kind in WRITES:
            alone.append(Cycle((each,)))
        else:
            together[each.fault in HANGING].append(each)
    cycles = alone
    for laid in together.values():
        random.shuffle(laid)
        cycles += [Cycle(tuple(each)) for each in _of_different_kinds(laid)]
    random.shuffle(cycles)
    return cycles


def _of_different_kinds(laid: Iterable[Laid]) -> list[list[Laid]]:
    """Two of the same kind might be laid at the same request, and only one of them would come."""
    cycles: list[list[Laid]] = []
    for each in laid:
        room = (
            one for one in cycles if len(one) < _IN_A_CYCLE and all(each.kind != other.kind for other in one)
        )
        cycle = next(room, None)
        if cycle is None:
            cycles.append(cycle := [])
        cycle.append(each)
    return cycles


def count(requests: Iterable[LoggedRequest]) -> Counter[str]:
    """How often the daemon asked each kind."""
    return Counter(kind_of_logged(each) for each in requests if each.user == "remediator")
