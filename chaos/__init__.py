"""The chaos suite: the real processes, killed, halted and starved, and a witness who counts.

    python -m chaos                    # all cases (25 minutes on two cores)
    python -m chaos --short            # fewer faults each (five minutes)
    python -m chaos --only C1,C4 --seed 7 --json figures.json --markdown docs/chaos.md

Each case has a database of its own, web, dispatchers, beats and workers as anybody would start
them, and a load of DAGs that is triggered over REST while the case injects its faults. Every task
writes to a witness when it starts and when it ends: another PostgreSQL, which no fault touches. At
the end the witness's rows are held against Skytrail's own (`verdict.py`).

How a case is written is told in `chaos/cases/__init__.py`.
"""
