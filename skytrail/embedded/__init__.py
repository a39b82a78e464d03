"""PostgreSQL and Valkey without an installation, and the supervisor behind `skytrail up`."""

from pathlib import Path

#: Where `skytrail up` keeps everything, unless another folder is named.
DEFAULT_FOLDER = Path(".skytrail")
