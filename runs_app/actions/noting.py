"""What people have to say about a run."""

from __future__ import annotations

from runs_app.models import DagRun
from skytrail.errors import Invalid

#: Characters of a note.
LONGEST = 10_000


class BadNote(Invalid):
    """The note cannot be kept."""


def note(run: DagRun, text: str) -> DagRun:
    """Puts `text` in the place of the run's note; empty takes it away. Raises `BadNote`."""
    if len(text) > LONGEST:
        hint = f"it has {len(text):,} characters; at most {LONGEST:,} are kept"
        raise BadNote.because("note", "too_long", hint)
    DagRun.objects.filter(pk=run.pk).update(note=text)
    run.note = text
    return run
