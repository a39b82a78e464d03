"""DAGs written in Python: what `skytrail.sdk` hands out, and how a file's DAGs are found.

Whichever way a DAG is written (`with DAG`, `@dag`, `DagBuilder`), it ends in one document, which
`dags_app.domain.parse` reads as it reads those of every other door. Importing this needs neither
Django nor a database, and takes little time: what takes more (pydantic, Jinja) is imported when a
definition is checked.
"""

from dags_app.authoring.collection import Collection, collecting
from dags_app.authoring.dags import DAG

__all__ = ["DAG", "Collection", "collecting"]
