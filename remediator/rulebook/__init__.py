"""Rule files: their shape, how they are read, and which rule an alert matches."""
