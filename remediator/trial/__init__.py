"""The whole daemon against stand-ins, in time that only its driver moves: what `rules test` and our own tests play."""
