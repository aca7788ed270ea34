"""What every module of commands is handed to add its own to."""

import argparse
from typing import Any, Protocol


class Commands(Protocol):
    """Where a module puts its commands, as argparse's `add_subparsers` makes it.

    Each command sets `run`, a function of the parsed arguments that returns the exit status.
    """

    def add_parser(self, name: str, *, help: str, description: str = ...) -> argparse.ArgumentParser:  # noqa: A002 -- argparse's
        """Add one command and return the parser of its arguments."""


class CommandParser(argparse.ArgumentParser):
    """Takes options only as they are written out: an abbreviation of today is ambiguous tomorrow."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})
