"""The JSON Schema of a definition, for editors and other programs.

Published as `docs/schema/dag.json`, which is written anew with

    python -m dags_app.domain.json_schema > docs/schema/dag.json

It says what single fields look like. What only the whole can tell (cycles, unknown upstreams,
whether a cron expression ever fires) is `parse`'s to say: whatever `parse` takes fits the schema,
and not the other way round.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from dags_app.domain.spec import FORMAT, DagSpec


def json_schema() -> dict[str, Any]:
    """The schema, in draft 2020-12."""
    schema = DagSpec.model_json_schema(mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://skytrail.dev/schemas/dag/{FORMAT}.json",
        **schema,
        "title": "Skytrail DAG",
    }


def published() -> str:
    """The text of the published file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(published())
