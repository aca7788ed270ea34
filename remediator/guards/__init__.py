"""Reasons not to make a change now; one guard a file."""
