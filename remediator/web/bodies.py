"""What people send to the API: a strict JSON document of one shape, or the answer that says what is wrong with it."""

from typing import Annotated, TypeVar

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from remediator.errors import Permanent
from remediator.redaction.text import redact
from remediator.web import strict_json
from remediator.web.responses import problem


class Body(BaseModel):
    """The shape of one request."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Reasoned(Body):
    """Nobody intervenes without saying why."""

    why: Annotated[str, AfterValidator(redact)] = Field(
        min_length=1, max_length=1000, pattern=r"^[^\x00]*\S[^\x00]*$"
    )


_Shape = TypeVar("_Shape", bound=Body)


async def body_of(request: web.Request, shape: type[_Shape], hint: str) -> _Shape | web.Response:
    """The request's body, or a 400 with the first mistake and the hint what to send."""
    try:
        return shape.model_validate(strict_json.parse(await request.read()))
    except Permanent as reason:
        return problem(400, reason.sentence, hint)
    except ValidationError as mistakes:
        first = mistakes.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the request"
        return problem(400, f"{where}: {first['msg']}", hint)
