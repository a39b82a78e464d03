from django.urls import path

from skytrail.security.api.connections import ConnectionListView, ConnectionView
from skytrail.security.api.testing import ConnectionTestView
from skytrail.security.api.tokens import TokenView
from skytrail.security.api.variables import VariableListView, VariableView

urlpatterns = [
    path("auth/token", TokenView.as_view()),
    path("connections", ConnectionListView.as_view()),
    path("connections/<name:conn_id>", ConnectionView.as_view()),
    path("connections/<name:conn_id>/test", ConnectionTestView.as_view()),
    path("variables", VariableListView.as_view()),
    path("variables/<name:key>", VariableView.as_view()),
]
