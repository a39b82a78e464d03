"""Skytrail and bare Celery side by side: `python -m benchmarks`."""
