from django.urls import path

from skytrail.security.api.tokens import TokenView

urlpatterns = [path("auth/token", TokenView.as_view())]
