from django.apps import AppConfig


class DatabaseConfig(AppConfig):
    name = "skytrail.database"
    label = "skytrail_database"
