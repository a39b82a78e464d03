"""What can be wrong with a DAG that is written in Python, found while it is written.

What is wrong with the definition itself is found by `dags_app.domain.parse`, for every door alike;
`BadDag` hands that on, with the tasks' names in place of their numbers.
"""

from __future__ import annotations

from collections.abc import Iterable

from skytrail.errors import Invalid, NotFound


class BadDag(Invalid):
    """The DAG {dag_id!r} has problems: {shown}"""


class OutsideOfADag(Invalid):
    """{what} stands outside of a DAG: write it inside `with DAG(...):` or inside a function with
    @dag, or give it dag=.
    """


class OtherDag(Invalid):
    """{first} belongs to the DAG {first_dag!r} and {second} to {second_dag!r}: tasks of different
    DAGs cannot depend on each other. Let the second wait with ExternalSensor, or start it with
    TriggerDag.
    """


class DuplicateTaskId(Invalid):
    """The DAG {dag_id!r} has a task {task_id!r} already: give each task an id of its own. (The
    same function called twice gets a number by itself.)
    """


class DuplicateGroupId(Invalid):
    """The DAG {dag_id!r} has a task group {group_id!r} already: give each group an id of its
    own, or go on with the first: `with group:`.
    """


class NothingInside(Invalid):
    """{what} has no tasks, so nothing can come before or after it: add one (Empty will do), or
    remove it.
    """


class CyclicDag(Invalid):
    """The tasks of {dag_id!r} wait for each other: {cycle}. Remove one of these dependencies."""


class NoSuchTask(NotFound):
    """The DAG {dag_id!r} has no task {task_id!r}{hint}"""


class UnknownArgument(Invalid):
    """{owner} takes no argument {name!r}{hint}"""


class BadArgument(Invalid):
    """{owner}: {name} {problem}"""


class NotATask(Invalid):
    """{value} cannot come before or after a task: dependencies are between tasks, task groups, the
    results of calls of @task functions, and lists of them.
    """


class NotKnownYet(Invalid):
    """{what}: what {task_id!r} returns is known when it has run, not while the DAG is written.
    {instead}
    """


class NowhereToFind(Invalid):
    """A worker could not find {name}: {reason}"""


def hint(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """`; did you mean 'x'?` for the closest of `known`; else `otherwise`."""
    from dags_app.domain.problems import suggestion

    return suggestion(name, known) or otherwise
