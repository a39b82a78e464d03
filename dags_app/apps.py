from django.apps import AppConfig


class DagsConfig(AppConfig):
    name = "dags_app"
    verbose_name = "DAGs"
