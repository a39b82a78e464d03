"""DAGs in Django's admin."""

from dags_app.admin.dags import DagAdmin
from dags_app.admin.versions import DagVersionAdmin

__all__ = ["DagAdmin", "DagVersionAdmin"]
