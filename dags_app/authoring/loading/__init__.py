"""Loading files of DAGs, each in a process of its own, so that no file harms anybody.

A loader (`loader.py`) keeps nurseries (`nursery.py`): processes that have imported what files need,
and fork a child for each of them, which reads it (`reading.py`) within limits. It answers with a
`Loaded` (`results.py`) in any case.
"""

from dags_app.authoring.loading.loader import Limits, load_files
from dags_app.authoring.loading.results import Fault, Loaded

__all__ = ["Fault", "Limits", "Loaded", "load_files"]
