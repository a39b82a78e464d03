"""Pipelines to read, run and copy from. A package, so that workers can import their functions."""
