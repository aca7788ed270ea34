"""Lets `python -m remediator` stand for the `remediator` command."""

import sys

from remediator.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
