"""The commands. Each module reads its arguments, asks the daemon or a room for the answer, and prints it."""
