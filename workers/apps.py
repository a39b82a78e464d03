from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class WorkersConfig(AppConfig):
    name = "workers"
    verbose_name = "Workers"

    def ready(self) -> None:
        from workers import periodic  # noqa: PLC0415  # needs models, which are loaded by now

        # Not `sender=self`: Django tells only apps that have models.
        post_migrate.connect(
            periodic.ensure,
            sender=apps.get_app_config("django_celery_beat"),
            dispatch_uid=self.name,
        )
