"""What the client accepts: plain JSON, a Table for people, or metadata alone."""

from collections.abc import Callable
from dataclasses import dataclass

from remediator.sandbox.kubernetes.request import Call
from remediator.sandbox.kubernetes.status import ApiError, Json, not_emulated

Presenter = Callable[[Json], Json]

_AVAILABLE = (
    "application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, "
    "application/vnd.kubernetes.protobuf;stream=watch"
)


@dataclass(frozen=True)
class Representation:
    """How to show the answer: as "" (the object), "Table" or "PartialObjectMetadata(List)"."""

    form: str = ""

    @property
    def content_type(self) -> str:
        """The content type of the answer."""
        return "application/json"


def negotiate(call: Call) -> Representation:
    """The first form the client accepts and the emulator can give.

    Raises:
        ApiError: 406; 501 if only YAML or protobuf would do.
    """
    header = call.headers.get("accept", "") or "*/*"
    binary = False
    for entry in header.split(","):
        media, *parameters = [part.strip() for part in entry.split(";")]
        options = dict(parameter.partition("=")[::2] for parameter in parameters)
        if media in ("*/*", "application/*", "application/json"):
            form = options.get("as", "")
            if not form:
                return Representation()
            if options.get("g") == "meta.k8s.io" and options.get("v") == "v1":
                return Representation(form)
        binary = binary or media in ("application/yaml", "application/vnd.kubernetes.protobuf")
    if binary:
        raise not_emulated("answers in YAML or protobuf")
    raise ApiError(
        406, f"406: Not Acceptable\n\nAvailable representations: {_AVAILABLE}", "NotAcceptable", {}
    )


def partial(obj: Json) -> Json:
    """An object's metadata alone."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": obj["metadata"],
    }


def partial_list(body: Json) -> Json:
    """A list of metadata alone."""
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": body["metadata"],
        "items": [partial(item) for item in body["items"]],
    }
