"""DAGs in Django's admin."""

from django.contrib import admin

from dags_app.admin.dags import DagAdmin
from dags_app.admin.import_errors import DagImportErrorAdmin
from dags_app.admin.versions import DagVersionAdmin

admin.site.index_title = "Overview"

__all__ = ["DagAdmin", "DagImportErrorAdmin", "DagVersionAdmin"]
