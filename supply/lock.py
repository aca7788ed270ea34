"""requirements.lock, read: what is installed into the image, by which hash, and because of what."""

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
OURSELVES = "remediator"

_PIN = re.compile(r"([A-Za-z0-9][\w.-]*)==([^\s;\\]+)(?: *; *([^\\]+?))?(?: \\)?")
_HASH = re.compile(r" +--hash=sha256:([0-9a-f]{64})(?: \\)?")
_VIA = re.compile(r" +# +(?:via *)?(\S.*)?")


@dataclass(frozen=True, slots=True)
class Locked:
    """One dependency."""

    name: str
    version: str
    marker: str
    """When it is needed, as PEP 508 says it; empty for always."""
    hashes: list[str] = field(default_factory=list)
    """SHA-256 of each file that may be installed."""
    via: list[str] = field(default_factory=list)
    """Names of what needs it."""

    @property
    def purl(self) -> str:
        """Its package URL."""
        return f"pkg:pypi/{normal(self.name)}@{self.version}"


def normal(name: str) -> str:
    """A name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(path: Path = LOCK) -> list[Locked]:
    """Everything the lock file pins. Raises ValueError for a line that cannot be read: nothing is passed over."""
    found: list[Locked] = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip():
            continue
        if pin := _PIN.fullmatch(line):
            found.append(Locked(normal(pin[1]), pin[2], (pin[3] or "").strip()))
        elif (digest := _HASH.fullmatch(line)) and found:
            found[-1].hashes.append(digest[1])
        elif (via := _VIA.fullmatch(line)) and found:
            found[-1].via.extend([_parent(via[1])] if via[1] else [])
        else:
            raise ValueError(f"{path.name}:{number}: cannot be read: {line!r}")
    return found


def _parent(text: str) -> str:
    return OURSELVES if text.startswith(OURSELVES) else normal(text.split(maxsplit=1)[0])
