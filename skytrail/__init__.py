"""Skytrail: a DAG orchestrator for Python and Django teams."""

__version__ = "0.1.0"
