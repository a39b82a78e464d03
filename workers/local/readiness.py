"""What a worker has done before it executes anything, done here."""

from __future__ import annotations

import importlib
import os
import sys

import django
from django.conf import settings

from dags_app.domain.commands import TaskType
from dags_app.domain.spec import DagSpec

#: Types whose tasks call code of the project, which may want its models.
_OF_THE_PROJECT = frozenset(
    {
        TaskType.PYTHON,
        TaskType.CELERY,
        TaskType.BRANCH,
        TaskType.SHORT_CIRCUIT,
        TaskType.PYTHON_SENSOR,
    }
)

_SETTINGS = "DJANGO_SETTINGS_MODULE"


def look_here() -> None:
    """Has modules looked for where this process was started, too."""
    if (here := os.getcwd()) not in sys.path:  # noqa: PTH109  # as Python itself writes it
        sys.path.insert(0, here)


def get_ready(spec: DagSpec) -> None:
    """The project can be imported; and where code of it runs, and it names its settings, its models
    are there.
    """
    look_here()
    is_named = settings.configured or _SETTINGS in os.environ
    os.environ.setdefault(_SETTINGS, "skytrail.settings")
    types = {task.type for task in spec.tasks}
    if is_named and types & _OF_THE_PROJECT:
        django.setup()
    if TaskType.CELERY in types:
        for module in settings.SKYTRAIL_TASK_MODULES:
            importlib.import_module(module)
