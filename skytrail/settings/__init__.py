"""Django's settings. What can be given from outside stands in `environment.py`.

A Django project that wants its own code and models in tasks makes a settings module of its own,
begins it with `from skytrail.settings import *`, and names it in DJANGO_SETTINGS_MODULE.
"""

from __future__ import annotations

import secrets
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from pydantic import ValidationError

from skytrail.settings.environment import Environment
from skytrail.settings.network import waits
from skytrail.settings.unfold import (  # noqa: F401  # settings too
    FORMAT_MODULE_PATH,
    STATICFILES_DIRS,
    UNFOLD,
)

try:
    environment = Environment()
except ValidationError as error:
    for finding in error.errors():
        name = str(finding["loc"][0]).upper()
        sys.stderr.write(f"Skytrail: the setting {name} cannot be used: {finding['msg']}\n")
    raise SystemExit(2) from None

BASE_DIR = Path(__file__).resolve().parent.parent.parent

DEBUG = False
# Without a given key sessions end when the process does, and no two processes share them.
SECRET_KEY = environment.secret_key or secrets.token_urlsafe(50)
ALLOWED_HOSTS = environment.allowed_hosts
CSRF_TRUSTED_ORIGINS = environment.trusted_origins

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "django_htmx",
    "skytrail.database",
    "skytrail.rest",
    "skytrail.security",
    "skytrail.web.apps.WebConfig",
    "dags_app",
    "runs_app",
    "workers",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "skytrail.rest.unstorable.RefuseUnstorableText",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Nothing answers without a login but what says so itself.
    "skytrail.security.login_required.LoginRequired",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    # From here on they are synchronous, and so all are: else each of them changes threads twice.
    "skytrail.rest.headers.ApiHeaders",
    "skytrail.web.headers.PageHeaders",
    "skytrail.web.zones.ReadersZone",
    "skytrail.web.errors.ErrorPages",
]

ROOT_URLCONF = "skytrail.urls"
ASGI_APPLICATION = "skytrail.asgi.application"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "/"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "skytrail" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "skytrail.web.context.frame",
            ],
        },
    },
]

# ---------------------------------------------------------------------------------- database

_database: dict[str, Any] = dict(dj_database_url.parse(environment.database_url))
_database["ENGINE"] = "skytrail.database.backend"
_database["OPTIONS"] = waits(environment.database_timeout_seconds, _database.get("OPTIONS", {}))
if environment.database_pool:
    # For ASGI, where every request runs in a thread of its own: a connection per request cost
    # half the throughput.
    _database["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": environment.database_pool,
        # Who gets none within so many seconds hears that the database does not answer.
        "timeout": 3,
        # After so many the pool tries no more by itself, at ever longer intervals, but with the
        # next request.
        "reconnect_timeout": 5,
    }
else:
    _database["CONN_MAX_AGE"] = None
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---------------------------------------------------------------------------------- people

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = environment.https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if environment.https else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # no collectstatic step: packages' files are served where they are

# A definition of 10,000 tasks comes as one JSON document; the admin's form has a field per cell.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 8_388_608

# ---------------------------------------------------------------------------------- REST

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "skytrail.security.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["skytrail.rest.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "skytrail.rest.negotiation.OneForm",
    "DEFAULT_SCHEMA_CLASS": "skytrail.rest.openapi.Schema",
    "DEFAULT_VERSIONING_CLASS": None,
    "EXCEPTION_HANDLER": "skytrail.rest.errors.handle",
    "DEFAULT_THROTTLE_RATES": {"login": "20/min"},
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Skytrail",
    "DESCRIPTION": "DAGs, their versions and runs. Errors have one shape; lists come in pages.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "TaskState": "runs_app.api.serializers.TASK_STATES",
        "RunState": "runs_app.api.serializers.RUN_STATES",
    },
}

# ---------------------------------------------------------------------------------- logging

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{levelname} {name}: {message}", "style": "{"}},
    "filters": {"in_a_line": {"()": "skytrail.database.trouble.InALine"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "plain",
            "filters": ["in_a_line"],
        }
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "skytrail": {"level": "INFO"},
        "workers": {"level": "INFO"},
    },
}

# ---------------------------------------------------------------------------------- Skytrail

SKYTRAIL_FERNET_KEYS = environment.fernet_keys
SKYTRAIL_SECRETS_DIR = environment.secrets_dir
SKYTRAIL_DISPATCHER = "workers.broker.dispatcher.CeleryDispatcher"
SKYTRAIL_CONNECTION_TESTER = "workers.reaching.asking.WorkerTester"
SKYTRAIL_CELERY_APP = "skytrail.celery.app"
SKYTRAIL_REDIS_URL = environment.redis_url
SKYTRAIL_LEASE_SECONDS = environment.lease_seconds
SKYTRAIL_MAX_LOST = environment.max_lost
SKYTRAIL_STOP_GRACE_SECONDS = environment.stop_grace_seconds
# Flower sees messages: with it, every step is one.
SKYTRAIL_CANARY_SECONDS = environment.canary_seconds
SKYTRAIL_RIDE_ALONG = environment.ride_along
SKYTRAIL_ANNOUNCE_STEPS = bool(environment.flower_url)
SKYTRAIL_ARTIFACTS_URL = environment.artifacts_url or str(
    (environment.data_dir / "artifacts").absolute()
)
SKYTRAIL_ARTIFACTS_OPTIONS = environment.artifacts_options
SKYTRAIL_ARTIFACT_TTL = (
    timedelta(days=environment.artifact_days) if environment.artifact_days else None
)
SKYTRAIL_LOG_LIMIT_BYTES = environment.log_limit_bytes
SKYTRAIL_OUTPUT_LIMIT_BYTES = environment.output_limit_bytes
SKYTRAIL_TASK_MEMORY_MB = environment.task_memory_mb
SKYTRAIL_HTTP_ALLOWED = environment.http_allowed
SKYTRAIL_TASK_MODULES = environment.task_modules
SKYTRAIL_DAGS_DIR = environment.dags_dir.absolute() if environment.dags_dir else None
SKYTRAIL_FLOWER_URL = environment.flower_url
SKYTRAIL_FLOWER_BASIC_AUTH = environment.flower_basic_auth
SKYTRAIL_TOKEN_TTL = timedelta(hours=environment.token_hours)
SKYTRAIL_KEEP_RUNS = (
    timedelta(days=environment.keep_runs_days) if environment.keep_runs_days else None
)
