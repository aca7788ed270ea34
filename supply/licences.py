"""The licences of what is installed: each has to be known, and one of those that may be passed on.

    python -m supply.licences

prints them. docs/licences.md is that; a test compares.
"""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

from supply.lock import Locked, read

MAY_BE_PASSED_ON = {
    "Apache-2.0": "",
    "BSD-2-Clause": "",
    "BSD-3-Clause": "",
    "MIT": "",
    "PSF-2.0": "",
    "MPL-2.0": "files of it that we change would have to be published; we change none",
}
"""SPDX identifiers, and what each asks for beyond a notice."""

_IN_OTHER_WORDS = {
    "apache 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd license": "BSD-3-Clause",
    "mit license": "MIT",
    "python software foundation license": "PSF-2.0",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
}


class NotAllowed(Exception):
    """A licence that is unknown, or that we may not pass on."""


def licence_of(locked: Locked) -> str:
    """Its licence as an SPDX expression. Raises NotAllowed."""
    try:
        metadata = distribution(locked.name).metadata
    except PackageNotFoundError:
        raise NotAllowed(f"{locked.name} is not installed here: `make venv`") from None
    classified = [
        each.rpartition(" :: ")[2] for each in metadata.get_all("Classifier") or () if "License ::" in each
    ]
    written = [each for field in ("License-Expression", "License") for each in metadata.get_all(field) or ()]
    return judged(locked.name, [*written, *classified])


def judged(name: str, said: list[str]) -> str:
    """The first of what is said that can be read. Raises NotAllowed."""
    for each in said:
        expression = _IN_OTHER_WORDS.get(each.lower(), each)
        parts = re.split(r" (?:AND|OR) ", expression)
        if all(part in MAY_BE_PASSED_ON for part in parts):
            return expression
    raise NotAllowed(
        f"{name}: {' / '.join(each[:60] for each in said) or 'it says nothing'}: not known as one to pass on"
    )


def table() -> Iterator[str]:
    """The lines of docs/licences.md. Raises NotAllowed."""
    yield "# Licences of what is in the image"
    yield ""
    yield "Of the Python part, as `requirements.lock` pins it; written by `make licences`, held against it by a test."
    yield "remediator itself is Apache-2.0."
    yield ""
    yield "| package | version | licence |"
    yield "|---|---|---|"
    for locked in read():
        yield f"| {locked.name} | {locked.version} | {licence_of(locked)} |"


if __name__ == "__main__":
    print("\n".join(table()))
