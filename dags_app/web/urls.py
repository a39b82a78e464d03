"""The pages of definitions."""

from django.urls import path

from dags_app.web import dag, editor, import_errors, listing, pausing, schedule, versions

DAG = "dags/<name:dag_id>/"

urlpatterns = [
    path("search/", listing.search, name="search"),
    path("dags/", listing.dags, name="dags"),
    path("dags-chosen/", pausing.chosen, name="dags-chosen"),
    path("new/", editor.new, name="editor-new"),
    path("editor/check/", editor.check, name="editor-check"),
    path("editor/save/", editor.save, name="editor-save"),
    path(f"{DAG}edit/", editor.edit, name="dag-edit"),
    path(DAG, dag.overview, name="dag"),
    path(f"{DAG}definition/", dag.definition, name="dag-definition"),
    path(f"{DAG}schedule/", schedule.schedule, name="dag-schedule"),
    path(f"{DAG}versions/", versions.versions, name="dag-versions"),
    path(f"{DAG}versions/<int:number>/", versions.version, name="dag-version"),
    path(f"{DAG}versions/<int:number>/diff/<int:other>/", versions.diff, name="dag-diff"),
    path(f"{DAG}versions/<int:number>/rollback/", versions.rollback, name="dag-rollback"),
    path(f"{DAG}pause/", pausing.pause, name="dag-pause"),
    path(f"{DAG}resume/", pausing.resume, name="dag-resume"),
    path("import-errors/", import_errors.listed, name="import-errors"),
    path("import-errors/<uuid:key>/", import_errors.one, name="import-error"),
]
