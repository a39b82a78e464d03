"""Which definition is meant: one in a file, or one that is saved."""

from __future__ import annotations

import os
from pathlib import Path

from dags_app.authoring.importing import dag_in
from dags_app.domain.parse import parse
from dags_app.domain.spec import DagSpec
from skytrail.cli.arguments import read_spec
from skytrail.cli.project import connect
from skytrail.embedded.dags_dir import root_of
from workers.local.readiness import look_here

#: How names of files end that hold definitions.
_SUFFIXES = frozenset({".json", ".yaml", ".yml"})


def find(file_or_id: str) -> DagSpec:
    """The definition in the file of this name, else the current version of the DAG of this name.

    Of a Python file that makes several DAGs one is named as `FILE::DAG`. No database is needed for
    a file. Raises what reading, importing and parsing do, and `NotFound`.
    """
    file, _, dag_id = file_or_id.partition("::")
    if Path(file).suffix == ".py":
        look_here()
        return dag_in(Path(file), dag_id or None, root=root_of(Path(file))).spec()
    if is_file(file_or_id):
        return read_spec(file_or_id)
    user = connect()
    from dags_app.access import access_dag

    version = access_dag(user, file_or_id).version
    assert version is not None, "a DAG that is there has a version"
    return parse(version.spec)


def is_file(name: str) -> bool:
    """Whether it is the name of a file: by what it looks like, or because there is one."""
    path = Path(name)
    return name == "-" or os.sep in name or path.suffix in _SUFFIXES or path.is_file()
