"""How each fact that a procedure needs is found out, live. One question at a time; each may fail alone."""
