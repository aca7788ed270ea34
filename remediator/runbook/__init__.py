"""The stages every run goes through, in the one order of lifecycle.py, and the loops that move runs along."""
