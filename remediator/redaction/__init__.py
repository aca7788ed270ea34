"""Removes secrets from what was seen, before it is stored and before it is sent. Pure, and in linear time."""
