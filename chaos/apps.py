from django.apps import AppConfig


class ChaosConfig(AppConfig):
    name = "chaos"

    def ready(self) -> None:
        from chaos import messages, points, timing  # noqa: PLC0415  # once the models are loaded

        points.install()
        messages.install()
        timing.install()
