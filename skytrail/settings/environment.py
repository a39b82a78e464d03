"""Every setting that can be given from outside, as environment variables."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, JsonValue, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Words = Annotated[list[str], NoDecode]


class Environment(BaseSettings):
    """Names are upper case; those without another name begin with `SKYTRAIL_`.

    Each can also be the content of a file of its name in the folder that SKYTRAIL_SECRETS_DIR
    names, as container platforms hand over secrets. A variable goes before a file.
    """

    model_config = SettingsConfigDict(
        env_prefix="SKYTRAIL_",
        secrets_dir=os.environ.get("SKYTRAIL_SECRETS_DIR"),
        use_attribute_docstrings=True,
        populate_by_name=True,
    )

    database_url: str = Field(
        default="postgresql://localhost/skytrail", validation_alias="DATABASE_URL"
    )
    """Where PostgreSQL (15 or later) is; `skytrail up` brings its own where this is not set."""
    redis_url: str = Field(default="redis://localhost:6379/0", validation_alias="REDIS_URL")
    """Where Redis or Valkey is; `skytrail up` brings its own where this is not set."""
    secret_key: str | None = None
    """Signs sessions. `skytrail up` makes one and keeps it in the data folder."""
    fernet_keys: Words = Field(default=[], repr=False)
    """The keys that connections and variables are encrypted with, separated by commas: the first
    encrypts, each decrypts. `skytrail make-fernet-key` makes one; `skytrail up` makes one too and
    keeps it in the data folder."""
    secrets_dir: Path | None = None
    """A folder with settings, one a file, and with connections and variables in its folders
    `connections` and `variables`, one a file again."""
    allowed_hosts: Words = ["localhost", "127.0.0.1", "[::1]"]
    """The host names that the web server answers to, separated by commas."""
    trusted_origins: Words = []
    """Origins like https://skytrail.example.org, where a proxy serves it under another name."""
    https: bool = False
    """Whether people reach it over HTTPS: cookies are then sent over HTTPS only."""
    data_dir: Path = Path(".skytrail")
    """Where `skytrail up` keeps its state."""
    database_pool: int = Field(default=0, ge=0, le=500)
    """How many database connections a web process keeps open; 0 for one per thread."""
    database_timeout_seconds: float = Field(default=0, ge=0, le=3600)
    """How long a process waits for the database's answer; 0 for as long as it takes. `skytrail web`
    sets 4.5, so that it can say within 6 seconds that there is none."""
    flower_url: str | None = None
    """Where Flower listens, to be shown behind the login under /flower."""
    flower_basic_auth: str | None = Field(default=None, validation_alias="FLOWER_BASIC_AUTH")
    """`user:password` that Flower asks for."""
    task_modules: Words = []
    """Modules that workers import at their start, to know your Celery tasks."""
    dags_dir: Path | None = None
    """The folder with the files of your DAGs. `skytrail up` watches it (by default `dags` in the
    current folder, if it is there); workers find its modules, and take them anew when they have
    changed."""
    lease_seconds: int = Field(default=60, ge=2, le=3600)
    """How long a worker may be silent before its tasks are given to others."""
    max_lost: int = Field(default=3, ge=0, le=100)
    """How often a task is run again because its worker was lost."""
    stop_grace_seconds: float = Field(default=5.0, ge=0, le=600)
    """How long a task that is told to stop may take before it is killed."""
    canary_seconds: float = Field(default=5.0, ge=0, le=600)
    """How often a worker to which nothing comes makes sure that something still would; 0: never."""
    ride_along: bool = True
    """Whether a worker goes straight on with the next step of a chain when steps are quick."""
    log_limit_bytes: int = Field(default=8_388_608, ge=1024, le=1_073_741_824)
    """How much of what one execution writes is kept."""
    output_limit_bytes: int | None = Field(default=None, ge=1024)
    """How much a command may write, kept or not, before it is ended and counts as failed; not set:
    it may write on and on."""
    task_memory_mb: int | None = Field(default=None, ge=16)
    """How much memory, in MiB, a task may use that has no memory_limit_mb of its own; not set: as
    much as there is."""
    http_allowed: Words = []
    """Private addresses that http tasks may reach: host names, addresses or networks."""
    token_hours: float = Field(default=24.0, gt=0, le=8760)
    """How long an API token is valid."""
    keep_runs_days: float | None = Field(default=None, gt=0)
    """Runs that ended longer ago are deleted; not set: they are kept."""

    artifacts_url: str | None = Field(default=None, repr=False)
    """Where artifacts are kept: a folder, or a URL like s3://bucket/prefix (install s3fs for it,
    gcsfs or adlfs for their like); not set: the folder `artifacts` in the data folder. Web,
    dispatcher and workers need the same."""
    artifacts_options: dict[str, JsonValue] = Field(default={}, repr=False)
    """Options for its driver, as a JSON object: `{"endpoint_url": "http://127.0.0.1:9000"}`. Keys
    and secrets belong here, or where the driver looks by itself."""
    artifact_days: float | None = Field(default=30, gt=0)
    """For how long artifacts are kept for which a task says nothing else; never longer than their
    run."""

    @field_validator(
        "allowed_hosts",
        "fernet_keys",
        "trusted_origins",
        "task_modules",
        "http_allowed",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return [word.strip() for word in value.split(",") if word.strip()]
        return value
