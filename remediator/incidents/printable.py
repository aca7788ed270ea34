"""Text that came from outside, made fit for a terminal."""


def printable(text: str) -> str:
    """On one line, and without anything that moves the cursor or turns the direction of writing.

    Labels and annotations of alerts may hold every character there is.
    """
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in " ".join(text.split())
    )
