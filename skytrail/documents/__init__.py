"""Documents that somebody sent, JSON or YAML: read strictly, and with errors that say where."""

from skytrail.documents.errors import MAX_BYTES, MAX_DEPTH, BadDocument, DocumentTooLarge, oversize
from skytrail.documents.json_text import read_json
from skytrail.documents.paths import path, step
from skytrail.documents.storing import MAX_FLAWS, storable, unstorable
from skytrail.documents.yaml_text import Located, read_yaml

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_FLAWS",
    "BadDocument",
    "DocumentTooLarge",
    "Located",
    "oversize",
    "path",
    "read_json",
    "read_yaml",
    "step",
    "storable",
    "unstorable",
]
