from django.apps import AppConfig


class RestConfig(AppConfig):
    name = "skytrail.rest"
    label = "skytrail_rest"

    def ready(self) -> None:
        from skytrail.rest import converters  # noqa: PLC0415  # when Django's own are there

        converters.register()
