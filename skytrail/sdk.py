"""What the code of tasks imports: `from skytrail.sdk import Skip`.

Importing it needs neither Django nor a database, so that tasks can be tested by themselves.
"""

from runs_app.domain.outcomes import Fail, Skip

__all__ = ["Fail", "Skip"]
