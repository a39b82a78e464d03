"""Running a DAG in one process, without a broker and without rows.

What decides is what decides in production: the planner, the retries, the rendering and the
executors. Where the engine writes rows, `ledger.py` keeps values; where workers take messages,
`runner.py` takes what is next.
"""
