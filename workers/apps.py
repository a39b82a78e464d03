from django.apps import AppConfig
from django.db.models.signals import post_migrate


class WorkersConfig(AppConfig):
    name = "workers"
    verbose_name = "Workers"

    def ready(self) -> None:
        from workers import periodic  # noqa: PLC0415  # needs models, which are loaded by now

        post_migrate.connect(periodic.ensure, sender=self)
