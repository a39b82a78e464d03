"""Skytrail's settings, with the chaos suite among the apps: it changes things from outside.

What it changes is said in the environment (`points.py`); with nothing said, nothing that counts.
"""

from __future__ import annotations

from skytrail.settings import *  # noqa: F403
from skytrail.settings import INSTALLED_APPS as _APPS

# Before the others: what is replaced has to be replaced before somebody imports it by name.
INSTALLED_APPS = ["chaos.apps.ChaosConfig", *_APPS]
