"""Who may do what to rows that belong to no DAG."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import DjangoModelPermissions
from rest_framework.request import Request


class ModelPermissions(DjangoModelPermissions):
    """Django's permissions on the view's `model`; reading asks for one too."""

    perms_map = DjangoModelPermissions.perms_map | {
        "GET": ["%(app_label)s.view_%(model_name)s"],
        "HEAD": ["%(app_label)s.view_%(model_name)s"],
    }

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        method = str(request.method)
        if not hasattr(view, method.lower()):
            return user.is_authenticated  # the view says that there is no such method
        return user.is_authenticated and user.has_perms(
            self.get_required_permissions(method, view.model)
        )
