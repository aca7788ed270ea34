"""The kubelet of the emulator's node: runs pods by their images' behaviour and reports their status."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from remediator.sandbox.kubernetes.controllers.container import Container, State
from remediator.sandbox.kubernetes.controllers.events import Recorder
from remediator.sandbox.kubernetes.controllers.pod_status import pod_status
from remediator.sandbox.kubernetes.controllers.queue import Controller
from remediator.sandbox.kubernetes.deletion import DeleteOptions, delete
from remediator.sandbox.kubernetes.images import ImageBehaviour, Images, Mode
from remediator.sandbox.kubernetes.loop import Loop
from remediator.sandbox.kubernetes.resources import find
from remediator.sandbox.kubernetes.settings import Settings
from remediator.sandbox.kubernetes.status import Json
from remediator.sandbox.kubernetes.store import Change, Key
from remediator.sandbox.kubernetes.writes import Writes

_MOST_PROBE_EVENTS = 25
"""Events of one source about one object are dropped after a burst of 25 (client-go's spam filter)."""
_SECOND_LOOK_SECONDS = 1.0
"""Soon after a failed pull the kubelet notes that it backs off, but only in events."""
_IMAGE_BYTES = 2_000_000
_RESYNC_SECONDS = 12.5
"""The kubelet looks at a pod that is waiting every ten to fifteen seconds; then its status says so, too."""


@dataclass
class Run:
    """One pod on the node."""

    key: Key
    uid: str
    ip: str
    containers: list[Container]
    sandbox: bool = False
    ending: bool = False
    ended: bool = field(default=False)


class Kubelet(Controller):
    """Runs every pod that is bound to a node (all nodes share this one kubelet)."""

    manager = "kubelet"

    def __init__(self, writes: Writes, loop: Loop, settings: Settings, images: Images) -> None:
        super().__init__(writes, loop, settings.observe_lag)
        self.images = images
        self._settings = settings
        self._pods = find("pods")
        self._events = Recorder(writes, "kubelet", self.manager, host="node-1")
        self._runs: dict[str, Run] = {}
        self._addresses = 1
        self._pulled: set[str] = set()

    def run_of(self, pod: Json) -> Run | None:
        """What runs of this pod; None while it is not on the node."""
        return self._runs.get(pod["metadata"]["uid"])

    def observe(self, change: Change) -> None:
        if not change.key.of_resource("", "pods"):
            return
        if change.type == "DELETED":
            self._runs.pop(change.after["metadata"]["uid"], None)
        elif change.after["spec"].get("nodeName"):
            uid = change.after["metadata"]["uid"]
            run = self._runs.get(uid)
            if run is None or (change.after["metadata"].get("deletionTimestamp") and not run.ending):
                self.queue(change.key)

    def reconcile(self, key: Key) -> None:
        pod = self.store.get(key)
        if pod is None or not pod["spec"].get("nodeName"):
            return
        run = self._runs.get(pod["metadata"]["uid"])
        if run is None:
            run = self._accept(key, pod)
        if pod["metadata"].get("deletionTimestamp") and not run.ending:
            self._stop(run, pod)

    def _accept(self, key: Key, pod: Json) -> Run:
        self._addresses += 1
        ip = f"10.244.{self._addresses // 250}.{self._addresses % 250 + 1}"
        containers = [
            Container(key.name, spec, self._behaviour(spec), self.store.new_uid().replace("-", "") * 2)
            for spec in pod["spec"]["containers"]
        ]
        run = Run(key, pod["metadata"]["uid"], ip, containers)
        self._runs[run.uid] = run
        self._report(run)
        delay = self._settings.pull_seconds + self._settings.start_seconds
        for container in containers:
            self._later(run, delay, partial(self._start, run, container))
        return run

    def _behaviour(self, spec: Json) -> ImageBehaviour:
        behaviour = self.images(spec["image"])
        words = " ".join(spec.get("command") or []).split()
        return behaviour.commands.get(words[-1], behaviour) if words else behaviour

    def _later(self, run: Run, seconds: float, act: Callable[[], None]) -> None:
        def due() -> None:
            if self._runs.get(run.uid) is run and not run.ended:
                act()

        self.loop.after(seconds, due)

    def _report(self, run: Run) -> None:
        pod = self.store.get(run.key)
        if pod is None or pod["metadata"]["uid"] != run.uid:
            return
        now = self.loop.clock.now()
        status = pod_status(pod, run.containers, run.ip, now, sandbox=run.sandbox)
        self.writes.update(self._pods, run.key, pod, {**pod, "status": status}, self.origin, "status")

    def _tell(self, run: Run, one: Container, reason: str, message: str, *, warning: bool = False) -> None:
        pod = self.store.get(run.key)
        if pod is None:
            return
        field_path = f"spec.containers{{{one.name}}}"
        record = self._events.warning if warning else self._events.normal
        record(pod, reason, message, field_path)

    # -- one container --------------------------------------------------------------------------------------

    def _start(self, run: Run, one: Container) -> None:
        if run.ending:
            return
        run.sandbox = True
        if one.behaviour.mode is Mode.UNPULLABLE:
            self._fail_to_pull(run, one)
            return
        self._pull(run, one)
        self._tell(run, one, "Created", f"Created container: {one.name}")
        self._tell(run, one, "Started", f"Started container {one.name}")
        one.start(self.loop.clock.now())
        seconds = one.seconds_to_ready
        one.ready = seconds == 0 and "readinessProbe" not in one.spec
        self._report(run)
        if seconds is not None and not one.ready:
            instance = len(one.instances)
            wait = seconds + self._settings.ready_seconds
            self._later(run, wait, lambda: self._become_ready(run, one, instance))
        elif seconds is None:
            self._probe_later(run, one, first=True)
        if one.behaviour.mode is Mode.CRASH_LOOPING:
            self._later(run, one.behaviour.run_seconds, lambda: self._crash(run, one))

    def _pull(self, run: Run, one: Container) -> None:
        present = one.behaviour.present or one.image in self._pulled
        if present and one.spec.get("imagePullPolicy") != "Always":
            self._tell(run, one, "Pulled", f'Container image "{one.image}" already present on machine')
            return
        self._pulled.add(one.image)
        took = f"{self._settings.pull_seconds * 1000:.0f}ms"
        size = f"Image size: {_IMAGE_BYTES} bytes."
        self._tell(run, one, "Pulling", f'Pulling image "{one.image}"')
        pulled = f'Successfully pulled image "{one.image}" in {took} ({took} including waiting). {size}'
        self._tell(run, one, "Pulled", pulled)

    def _become_ready(self, run: Run, one: Container, instance: int) -> None:
        if one.state is State.RUNNING and len(one.instances) == instance:
            one.ready = True
            self._report(run)

    def _probe_later(self, run: Run, one: Container, *, first: bool = False) -> None:
        probe = one.spec["readinessProbe"]
        delay = max(probe.get("initialDelaySeconds", 0), 0.1) if first else probe.get("periodSeconds", 10)
        instance = len(one.instances)

        def fail() -> None:
            if one.state is not State.RUNNING or len(one.instances) != instance or run.ending:
                return
            one.failed_probes += 1
            self._tell(run, one, "Unhealthy", _probe_message(probe), warning=True)
            if one.failed_probes < _MOST_PROBE_EVENTS:
                self._probe_later(run, one)

        self._later(run, delay, fail)

    def _crash(self, run: Run, one: Container) -> None:
        if one.state is not State.RUNNING or run.ending:
            return
        one.exit(self.loop.clock.now(), one.behaviour.exit_code, len(one.instances))
        pod = self.store.get(run.key)
        policy = pod["spec"].get("restartPolicy", "Always") if pod else "Never"
        for_good = policy == "Never" or (policy == "OnFailure" and one.behaviour.exit_code == 0)
        if for_good and all(other.state is State.TERMINATED for other in run.containers):
            run.sandbox = False
        self._report(run)
        if for_good:
            return
        if one.restarts == 0 and not one.backoff:
            self._later(run, max(self.lag, self._settings.start_seconds), lambda: self._start(run, one))
        else:
            self._later(run, self.lag, lambda: self._back_off(run, one))

    def _back_off(self, run: Run, one: Container) -> None:
        if run.ending:
            return
        seconds = one.next_backoff()
        place = f"{run.key.name}_{run.key.namespace}({run.uid})"
        shown = _go_duration(seconds)
        message = f"back-off {shown} restarting failed container={one.name} pod={place}"
        one.wait("CrashLoopBackOff", message)
        event = f"Back-off restarting failed container {one.name} in pod {place}"
        self._tell(run, one, "BackOff", event, warning=True)
        self._report(run)
        self._later(run, seconds, lambda: self._start(run, one))

    def _fail_to_pull(self, run: Run, one: Container) -> None:
        why = (
            f'rpc error: code = NotFound desc = failed to pull and unpack image "{one.image}": failed to resolve '
            f'reference "{one.image}": {one.image}: not found'
        )
        self._tell(run, one, "Pulling", f'Pulling image "{one.image}"')
        self._tell(run, one, "Failed", f'Failed to pull image "{one.image}": {why}', warning=True)
        self._tell(run, one, "Failed", "Error: ErrImagePull", warning=True)
        one.wait("ErrImagePull", why)
        self._report(run)
        self._later(run, _SECOND_LOOK_SECONDS, partial(self._note_pull_back_off, run, one))
        self._later(run, _RESYNC_SECONDS, partial(self._wait_to_pull, run, one, why))

    def _note_pull_back_off(self, run: Run, one: Container) -> None:
        if not run.ending:
            self._tell(run, one, "BackOff", f'Back-off pulling image "{one.image}"')
            self._tell(run, one, "Failed", "Error: ImagePullBackOff", warning=True)

    def _wait_to_pull(self, run: Run, one: Container, why: str) -> None:
        if run.ending:
            return
        self._note_pull_back_off(run, one)
        one.wait("ImagePullBackOff", f'Back-off pulling image "{one.image}": ErrImagePull: {why}')
        self._report(run)
        self._later(run, one.next_backoff(), lambda: self._start(run, one))

    # -- the end of a pod -----------------------------------------------------------------------------------

    def _stop(self, run: Run, pod: Json) -> None:
        run.ending = True
        for one in run.containers:
            if one.state is State.RUNNING:
                self._tell(run, one, "Killing", f"Stopping container {one.name}")
            elif not one.has_started:
                one.wait("ContainerCreating")
        self._report(run)
        grace = pod["metadata"].get("deletionGracePeriodSeconds") or 0
        self._later(run, min(self._settings.stop_seconds, grace), lambda: self._ended(run))

    def _ended(self, run: Run) -> None:
        now = self.loop.clock.now()
        for one in run.containers:
            if one.state is State.RUNNING:
                one.exit(now, 0, len(one.instances))
            elif not one.has_started:
                one.lost()
        run.sandbox = False
        self._report(run)
        self._later(run, self.lag, lambda: self._remove(run))

    def _remove(self, run: Run) -> None:
        run.ended = True
        pod = self.store.get(run.key)
        if pod is not None and pod["metadata"]["uid"] == run.uid:
            delete(self.writes, self._pods, run.key, DeleteOptions(grace_seconds=0), self.origin)


def _probe_message(probe: Json) -> str:
    if "httpGet" in probe:
        return "Readiness probe failed: HTTP probe failed with statuscode: 503"
    if "tcpSocket" in probe:
        return "Readiness probe failed: dial tcp: connect: connection refused"
    return "Readiness probe failed: "


def _go_duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
