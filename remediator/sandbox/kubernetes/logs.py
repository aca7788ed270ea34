"""Pod logs: the lines of a container's instances, cut as the request asks."""

from datetime import datetime, timedelta

from remediator.sandbox.kubernetes.causes import not_allowed, wrong
from remediator.sandbox.kubernetes.clock import parse_rfc3339
from remediator.sandbox.kubernetes.controllers.container import Container, Instance
from remediator.sandbox.kubernetes.controllers.kubelet import Run
from remediator.sandbox.kubernetes.request import Call, integer
from remediator.sandbox.kubernetes.status import ApiError, Cause, Json, bad_request, invalid, not_emulated


def pod_log(call: Call, pod: Json, run: Run | None, now: datetime) -> str | None:
    """The log the request asks for; None if the pod is not on a node (the server then answers 204).

    Raises:
        ApiError: 400, 406, 422; 501 for a log that is followed.
    """
    _check_accept(call)
    options = _options(call, pod["metadata"]["name"])
    if call.flag("follow"):
        raise not_emulated("following a log")
    name = _container_name(call, pod)
    if run is None:
        return None
    one = next(container for container in run.containers if container.name == name)
    lines = list(_instance_of(call, pod, one).lines(now))
    since = _since(call, options, now)
    if since is not None:
        lines = [(at, line) for at, line in lines if at >= since]
    tail = options["tailLines"]
    if tail is not None:
        lines = lines[len(lines) - tail :] if tail < len(lines) else lines
        lines = lines if tail else []
    stamps = call.flag("timestamps")
    text = "".join(f"{_nanoseconds(at) + ' ' if stamps else ''}{line}\n" for at, line in lines)
    limit = options["limitBytes"]
    return text if limit is None else text.encode()[:limit].decode("utf-8", errors="ignore")


def _nanoseconds(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


def _check_accept(call: Call) -> None:
    accepted = call.headers.get("accept", "*/*")
    if not any(entry in accepted for entry in ("*/*", "application/json", "application/*")):
        message = (
            "only the following media types are accepted: application/json, application/yaml, "
            "application/vnd.kubernetes.protobuf"
        )
        raise ApiError(406, message, "NotAcceptable")


def _options(call: Call, pod: str) -> dict[str, int | None]:
    found = {name: integer(call, name) for name in ("tailLines", "limitBytes", "sinceSeconds")}
    causes: list[Cause] = []
    tail, limit, seconds = found["tailLines"], found["limitBytes"], found["sinceSeconds"]
    if tail is not None and tail < 0:
        causes.append(wrong("tailLines", str(tail), "must be greater than or equal to 0"))
    if limit is not None and limit < 1:
        causes.append(wrong("limitBytes", str(limit), "must be greater than 0"))
    if seconds is not None and call.query.get("sinceTime"):
        causes.append(not_allowed("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified"))
    elif seconds is not None and seconds < 1:
        causes.append(wrong("sinceSeconds", str(seconds), "must be greater than 0"))
    if call.query.get("stream"):
        causes.append(not_allowed("stream", "may not be specified"))
    if causes:
        raise invalid("", "PodLogOptions", pod, causes)
    return found


def _container_name(call: Call, pod: Json) -> str:
    names = [container["name"] for container in pod["spec"]["containers"]]
    wanted = call.query.get("container", "")
    pod_name = pod["metadata"]["name"]
    if wanted:
        if wanted not in names:
            raise bad_request(f"container {wanted} is not valid for pod {pod_name}")
        return wanted
    if len(names) > 1:
        listed = " ".join(names)
        raise bad_request(f"a container name must be specified for pod {pod_name}, choose one of: [{listed}]")
    return str(names[0])


def _instance_of(call: Call, pod: Json, one: Container) -> Instance:
    pod_name = pod["metadata"]["name"]
    if call.flag("previous"):
        if one.last_terminated is None:
            raise bad_request(f'previous terminated container "{one.name}" in pod "{pod_name}" not found')
        running = one.status()["state"].get("running") or one.terminated
        return one.instances[-2 if running and len(one.instances) > 1 else -1]
    if not one.instances:
        reason = one.waiting.get("reason", "")
        why = "trying and failing to pull image" if "Pull" in reason else reason
        raise bad_request(f'container "{one.name}" in pod "{pod_name}" is waiting to start: {why}')
    return one.instances[-1]


def _since(call: Call, options: dict[str, int | None], now: datetime) -> datetime | None:
    seconds, text = options["sinceSeconds"], call.query.get("sinceTime", "")
    if seconds is not None:
        return now - timedelta(seconds=seconds)
    if not text:
        return None
    try:
        return parse_rfc3339(text)
    except ValueError as error:
        raise bad_request(f"sinceTime: {error}") from error
