"""One notice from Alertmanager, and the two identities we compute for it ourselves."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Literal

from remediator.domain.value import Value, canonical

Status = Literal["firing", "resolved"]

_FNV_OFFSET = 0xCBF29CE484222325
_FNV_PRIME = 0x100000001B3
_SEPARATOR = b"\xff"


class Alert(Value):
    """A firing or resolved notice. `ends_at` is None while firing (Alertmanager writes the year 1)."""

    status: Status
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    ends_at: datetime | None
    generator_url: str = ""

    @property
    def name(self) -> str:
        """The alertname label, or an empty string: Alertmanager itself does not demand one."""
        return self.labels.get("alertname", "")

    @cached_property
    def fingerprint(self) -> str:
        """Prometheus' own fingerprint, recomputed, never trusted from the sender."""
        return fingerprint(self.labels)

    def delivery_key(self, source: str) -> bytes:
        """Identity of this notice: a repeat of it has the same key (32 bytes)."""
        ends_at = self.ends_at.isoformat() if self.ends_at is not None else None
        parts = [source, self.fingerprint, self.status, self.starts_at.isoformat(), ends_at]
        return sha256(canonical(parts).encode("utf-8", "surrogatepass")).digest()


def fingerprint(labels: Mapping[str, str]) -> str:
    """Sixteen hex digits over the label set: FNV-1a, 64 bit, as prometheus/common model/signature.go does."""
    value = _FNV_OFFSET
    for name in sorted(labels, key=lambda text: text.encode("utf-8", "surrogatepass")):
        for part in (name, labels[name]):
            for byte in part.encode("utf-8", "surrogatepass") + _SEPARATOR:
                value = ((value ^ byte) * _FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"
