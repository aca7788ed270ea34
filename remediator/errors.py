"""The two kinds of failure: worth trying again, or not.

Every client turns foreign errors into one of these at its own edge, so that nobody above has to
know what aiohttp, asyncpg or the Kubernetes client raise.
"""


class RemediatorError(Exception):
    """What went wrong, as a sentence a person on call can act on."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Retryable(RemediatorError):
    """The same request may succeed later: timeouts, refused connections, 429, 5xx."""

    def __init__(self, sentence: str, retry_after: float | None = None) -> None:
        """`retry_after` is in seconds, when the other side named one."""
        super().__init__(sentence)
        self.retry_after = retry_after


class Permanent(RemediatorError):
    """The same request cannot succeed until somebody changes something: 400, 401, 403, bad configuration."""
