from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "runs_app"
    verbose_name = "Runs"

    def ready(self) -> None:
        from dags_app.signals import dag_deleting  # noqa: PLC0415  # once the apps are loaded
        from runs_app.actions.keeping import keep_dag_with_unfinished_runs  # noqa: PLC0415

        dag_deleting.connect(keep_dag_with_unfinished_runs)
