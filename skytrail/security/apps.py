from django.apps import AppConfig


class SecurityConfig(AppConfig):
    name = "skytrail.security"
    label = "skytrail_security"
    verbose_name = "Security"
