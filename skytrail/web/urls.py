"""The pages of what belongs to no app."""

from django.urls import path

from skytrail.web import secrets

urlpatterns = [
    path("connections/", secrets.connections, name="connections"),
    path("connections/<name:conn_id>/test/", secrets.test_connection, name="connection-test"),
    path("variables/", secrets.variables, name="variables"),
]
