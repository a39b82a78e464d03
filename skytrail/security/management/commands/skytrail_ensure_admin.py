"""Makes the first user, for `skytrail up`."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

#: The exit code where there is a user of that name already.
WAS_THERE = 10


class Command(BaseCommand):
    """The password comes from the environment: arguments can be read by everybody."""

    help = "Makes the superuser `admin`, with the password in SKYTRAIL_ADMIN_PASSWORD."

    def handle(self, *args: Any, **options: Any) -> None:
        password = os.environ.get("SKYTRAIL_ADMIN_PASSWORD")
        if not password:
            raise CommandError("set SKYTRAIL_ADMIN_PASSWORD to the password that admin is to have")
        if User.objects.filter(username="admin").exists():
            sys.exit(WAS_THERE)
        User.objects.create_superuser("admin", password=password)
