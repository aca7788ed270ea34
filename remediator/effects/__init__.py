"""The only room that changes the cluster. Three doors: claim, apply, read_back; and the Events that tell of it."""
