"""Connections and variables over REST. What is secret comes back as `***`."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from skytrail.rest.converters import NameConverter
from skytrail.security.models import Connection, Variable
from skytrail.security.secrets.names import MAX_LENGTH
from skytrail.security.secrets.writing import MAX_FIELD, MAX_PASSWORD, MAX_VALUE

_NAME = RegexValidator(
    rf"\A{NameConverter.regex}\Z", "Use letters a–z and A–Z, digits and the characters _ . -"
)


class _Text(serializers.CharField):
    """A text that may be empty, and is kept with its blanks."""

    def __init__(self, **kwargs: Any) -> None:
        limit = {"max_length": MAX_FIELD, "required": False}
        super().__init__(**{**limit, "allow_blank": True, "trim_whitespace": False, **kwargs})


class ConnectionInListSerializer(serializers.ModelSerializer[Connection]):
    """A connection without what it holds."""

    class Meta:
        model = Connection
        fields = ["id", "conn_id", "conn_type", "description", "created_at", "updated_at"]
        read_only_fields = fields


class ConnectionSerializer(serializers.Serializer[Any]):
    """A connection that the database holds."""

    id = serializers.UUIDField(read_only=True)
    conn_id = serializers.CharField(
        max_length=MAX_LENGTH, trim_whitespace=False, validators=[_NAME], help_text="Its name."
    )
    conn_type = serializers.CharField(
        max_length=64, trim_whitespace=False, help_text="What it leads to: `postgresql`, `http`, …"
    )
    description = _Text(help_text="What it is for. This is not encrypted.")
    host = _Text()
    port = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=65_535)
    schema = _Text(help_text="What a URL has as its path: a database's name.")
    login = _Text()
    password = _Text(
        max_length=MAX_PASSWORD,
        help_text="Shown as `***` where there is one; `***` keeps it.",
    )
    extra = serializers.DictField(
        required=False,
        help_text="More, by name. What looks like a secret is shown as `***`; `***` keeps it.",
    )
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)


class TestRequestSerializer(serializers.Serializer[Any]):
    """Where a connection is to be tested."""

    queue = serializers.CharField(
        required=False,
        max_length=MAX_LENGTH,
        trim_whitespace=False,
        validators=[_NAME],
        help_text="A worker of this queue makes the test; `default` if nothing is said.",
    )


class TestedSerializer(serializers.Serializer[Any]):
    """What came of a test."""

    status = serializers.ChoiceField(
        choices=["ok", "failed", "untestable"],
        help_text="`untestable`: nobody knows how to test a connection of this type.",
    )
    message = serializers.CharField(help_text="What was found, without any secret.")
    where = serializers.CharField(help_text="The worker that has made the test.")


class VariableInListSerializer(serializers.ModelSerializer[Variable]):
    """A variable without its value."""

    class Meta:
        model = Variable
        fields = ["id", "key", "is_secret", "description", "created_at", "updated_at"]
        read_only_fields = fields


class VariableSerializer(serializers.Serializer[Any]):
    """A variable that the database holds."""

    id = serializers.UUIDField(read_only=True)
    key = serializers.CharField(
        max_length=MAX_LENGTH, trim_whitespace=False, validators=[_NAME], help_text="Its name."
    )
    value = _Text(
        required=True,
        max_length=MAX_VALUE,
        help_text="Of a secret one `***` is shown; `***` keeps it.",
    )
    is_secret = serializers.BooleanField(
        required=False,
        help_text="True unless said otherwise. A secret is only made readable with a new value.",
    )
    description = _Text(help_text="What it is for. This is not encrypted.")
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)
