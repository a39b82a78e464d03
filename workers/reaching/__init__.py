"""Whether what a connection leads to can be reached."""
