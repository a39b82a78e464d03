"""Form fields for values that are edited as text.

They refuse nothing that can be read at all: a number that is none, a name that is too long, a type
that does not exist. What is wrong is for `dags_app.domain.parse` to say, for every field at once
and in the same words as at every other door.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold import widgets

from skytrail.documents import read_json
from skytrail.errors import Invalid, Problem


def said(problem: Problem, *, where: str = "") -> str:
    """A problem as one line: its message, behind the place within the field that it is about."""
    return f"{where}: {problem.message}" if where else problem.message


class Typed(forms.CharField):
    """A value that somebody types, and that is shown again as it was typed."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", widgets.UnfoldAdminTextInputWidget)
        super().__init__(required=False, **kwargs)

    def shown(self, value: Any) -> str:
        """The text for a stored value."""
        match value:
            case None:
                return ""
            case float() if value.is_integer():
                return str(int(value))
            case datetime():
                return value.isoformat(sep=" ")
            case _:
                return str(value)

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else self.shown(value)

    def to_python(self, value: Any) -> Any:
        return _lines(super().to_python(value) or "")

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compared as text: what nobody has touched stays the value it was, to the last bit."""
        return _lines(self.prepare_value(initial)).strip() != _lines(data or "").strip()

    def run_validators(self, value: Any) -> None:
        """None here: `parse` and `unstorable` see to it."""


class Number(Typed):
    """A number; text that is none is handed on as it is."""

    def to_python(self, value: Any) -> Any:
        text: str = super().to_python(value)
        for read in (int, float):
            # Long digits stay text: Python refuses to read them, and nobody means them.
            if len(text) <= 40 and text.isascii() and "_" not in text:
                with contextlib.suppress(ValueError):
                    return read(text)
        return text


class Words(Typed):
    """Several words, separated by commas or lines."""

    def shown(self, value: Any) -> str:
        return ", ".join(value or [])

    def to_python(self, value: Any) -> Any:
        text: str = super().to_python(value)
        return [word.strip() for word in re.split(r"[,\n]", text) if word.strip()]


class Json(Typed):
    """An object, written as JSON. Broken JSON is the one thing that cannot be passed on."""

    kind: type = dict
    example = 'write an object: {"key": "value", …}'

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", json_area())
        super().__init__(**kwargs)

    def shown(self, value: Any) -> str:
        return json.dumps(value, indent=2, ensure_ascii=False) if value else ""

    def to_python(self, value: Any) -> Any:
        text: str = super().to_python(value)
        if not text:
            return self.kind()
        try:
            found = read_json(text)
        except Invalid as error:
            raise ValidationError([said(p, where=p.path) for p in error.problems]) from None
        if not isinstance(found, self.kind):
            raise ValidationError(self.example)
        return found


class JsonList(Json):
    """A list, written as JSON, one entry a line."""

    kind = list
    example = "write a list: [ … ]"

    def shown(self, value: Any) -> str:
        entries = ",\n".join(f"  {json.dumps(entry, ensure_ascii=False)}" for entry in value or [])
        return f"[\n{entries}\n]" if entries else ""


class JsonOrTemplate(Typed):
    """Any JSON, or a template that yields it; nothing is nothing."""

    def shown(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        return "" if value is None else json.dumps(value, ensure_ascii=False)

    def to_python(self, value: Any) -> Any:
        text: str = super().to_python(value)
        if not text.strip() or text.lstrip().startswith("{{"):
            return text.strip()
        try:
            return read_json(text)
        except Invalid as error:
            raise ValidationError([said(p, where=p.path) for p in error.problems]) from None


class Choice(forms.ChoiceField):
    """One of some words; another one, which no browser sends, is passed on too."""

    def __init__(self, choices: Iterable[Any], **kwargs: Any) -> None:
        kwargs.setdefault("widget", widgets.UnfoldAdminSelectWidget)
        words = [(str(word), str(word)) for word in choices]
        super().__init__(choices=words, required=False, **kwargs)

    def valid_value(self, value: Any) -> bool:
        return True


def json_area(**attrs: Any) -> forms.Textarea:
    """Where JSON is written: of one width, without a spell checker, as high as its text."""
    plain = {"rows": 4, "spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}
    return forms.Textarea(attrs={"class": "sky-input sky-code", **plain, **attrs})


def _lines(text: str) -> str:
    """With the line ends that Python has; browsers send others."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
