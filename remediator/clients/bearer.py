"""An Authorization header whose token is read from its file for every request, so that it may be rotated."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from remediator.errors import Retryable

_NAME = "Authorization"


class BearerFile(Mapping[str, str]):
    """The header as a mapping; empty where no file is configured."""

    def __init__(self, token_file: Path | None) -> None:
        self._file = token_file

    def __getitem__(self, name: str) -> str:
        """The header. Raises KeyError for any other, and Retryable when the file cannot be read."""
        if name != _NAME or self._file is None:
            raise KeyError(name)
        try:
            return f"Bearer {self._file.read_text(encoding='utf-8').strip()}"
        except OSError as reason:
            raise Retryable(f"{self._file} cannot be read: {reason.strerror}") from reason

    def __iter__(self) -> Iterator[str]:
        return iter((_NAME,) if self._file is not None else ())

    def __len__(self) -> int:
        return 0 if self._file is None else 1
