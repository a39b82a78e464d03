"""`skytrail dags test` and `skytrail tasks test`: a run in this process, without a broker."""

#: Nobody waits longer for a retry or a poke, in seconds, unless they say so.
LONGEST_WAIT = 5.0
