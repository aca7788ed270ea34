"""From a stored notice to a run, or to the recorded reason why there is none."""
