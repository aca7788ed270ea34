"""Kinds of requests that were never recorded, and what the emulator's answers to them were built from."""

from collections.abc import Mapping

DOCUMENTED: Mapping[str, str] = {}
