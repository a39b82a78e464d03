from django.urls import path

from dags_app.api import schema  # noqa: F401  # registers itself with the OpenAPI generator
from dags_app.api.dags import DagListView, DagSchemaView, DagView
from dags_app.api.import_errors import ImportErrorListView, ImportErrorView
from dags_app.api.previews import NextRunsView, ResumePreviewView
from dags_app.api.versions import (
    VersionDiffView,
    VersionListView,
    VersionRollbackView,
    VersionView,
)

urlpatterns = [
    path("dags", DagListView.as_view()),
    path("dags/<name:dag_id>", DagView.as_view()),
    path("dags/<name:dag_id>/next-runs", NextRunsView.as_view()),
    path("dags/<name:dag_id>/resume-preview", ResumePreviewView.as_view()),
    path("dags/<name:dag_id>/versions", VersionListView.as_view()),
    path("dags/<name:dag_id>/versions/<int:number>", VersionView.as_view()),
    path("dags/<name:dag_id>/versions/<int:number>/diff/<int:other>", VersionDiffView.as_view()),
    path("dags/<name:dag_id>/versions/<int:number>/rollback", VersionRollbackView.as_view()),
    path("import-errors", ImportErrorListView.as_view()),
    path("import-errors/<uuid:key>", ImportErrorView.as_view()),
    path("schemas/dag", DagSchemaView.as_view()),
]
