"""What people do that this daemon does not: one procedure a file, named as rule files name it."""
