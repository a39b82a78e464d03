"""`dag.test()`: the way from a DAG as it is written to what executes it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dags_app.authoring.dags import DAG

#: Asked by its name, and only then: importing what authors write needs nothing that executes.
_WHO_EXECUTES = "skytrail.cli.trying.scripts"


def try_out(dag: DAG, **how: Any) -> Any:
    """Runs the DAG in this process and shows it; a `skytrail.testing.RunResult`."""
    return importlib.import_module(_WHO_EXECUTES).try_out(_as_a_module_makes_it(dag), **how)


def _as_a_module_makes_it(dag: DAG) -> DAG:
    """The same DAG, made by a module: that of a script that is run (`__main__`) cannot be found
    again, and neither can its functions.
    """
    from dags_app.authoring.importing import dag_in

    script = getattr(sys.modules["__main__"], "__file__", None)
    if dag.module is not None or script is None:
        return dag
    return dag_in(Path(script), dag.dag_id)
