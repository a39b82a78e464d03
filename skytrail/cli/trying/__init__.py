"""`skytrail dags test` and `skytrail tasks test`: a run in this process, without a broker."""
