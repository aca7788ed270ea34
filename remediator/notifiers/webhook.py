"""Posts notices as JSON to an address of the operator's."""

from pathlib import Path
from typing import Self

from pydantic import model_validator

from remediator.domain.notice import Notice
from remediator.errors import Permanent, Retryable
from remediator.kit import Kit
from remediator.step import Notifier

_BUSY = (408, 425, 429)


class Webhook(Notifier):
    """`webhook: {url_file: ..., token_file: ...}`; the notice's key lets the receiver drop repeats."""

    url: str | None = None
    url_file: Path | None = None
    token_file: Path | None = None

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.url is None) == (self.url_file is None):
            raise ValueError("give either url or url_file")
        return self

    async def send(self, notice: Notice, kit: Kit) -> None:
        url = self.url if self.url_file is None else _secret(self.url_file)
        if not url:
            raise Permanent("the webhook notifier has neither url nor url_file")
        headers = {"Idempotency-Key": notice.key}
        if self.token_file is not None:
            headers["Authorization"] = f"Bearer {_secret(self.token_file)}"
        answer = await kit.http.request(
            "POST", url, json=notice.to_json(), headers=headers, deadline=self.deadline.total_seconds()
        )
        if answer.status >= 500 or answer.status in _BUSY:
            raise Retryable(f"the webhook answered {answer.status}")
        if answer.status >= 300:
            raise Permanent(f"the webhook answered {answer.status}: check its address and token")


def _secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as reason:
        raise Retryable(f"cannot read {path}: {reason.strerror}") from reason
