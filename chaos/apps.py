from django.apps import AppConfig


class ChaosConfig(AppConfig):
    name = "chaos"

    def ready(self) -> None:
        from chaos import identity, messages, points  # noqa: PLC0415  # once the models are loaded

        identity.install()
        points.install()
        messages.install()
