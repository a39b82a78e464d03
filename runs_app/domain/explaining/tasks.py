"""Why a task of a run stands where it does."""

from __future__ import annotations

from collections.abc import Callable

from dags_app.domain.tasks import TriggerRule
from runs_app.domain import past
from runs_app.domain.explaining.durations import time_of
from runs_app.domain.explaining.facts import Holder, RunFacts, TaskFacts
from runs_app.domain.explaining.reasons import DEEP, WIDE, About, Explanation, Reason, count, few
from runs_app.domain.states import RunState, TaskState
from runs_app.domain.trigger_rules import Tally, Verdict, judge

S = TaskState

#: Characters of an error that are told.
_LONGEST = 300

_BROKEN = frozenset({S.FAILED, S.UPSTREAM_FAILED, S.CANCELLED})

#: Reasons of moves that come from a plan or from outside, and not from the task's own execution.
_SETTLED = frozenset({"trigger rule", "fail fast", "run cancelled", "run timeout"})


def explain_task(facts: RunFacts, task: TaskFacts) -> Explanation:
    """How one task stands, and why, and where its time went."""
    if facts.is_missing:
        text = f"`{task.name}` was not there yet: its run was made later"
        return Explanation(headline=text, at=facts.at)
    reason = reason_of(facts, task)
    words = reason.text.removeprefix(f"`{task.name}` ")
    return Explanation(
        headline=f"`{task.name}` {words}",
        at=facts.at,
        since=reason.since,
        reasons=(*reason.because, *time_of(facts, task)),
    )


def reason_of(facts: RunFacts, task: TaskFacts, depth: int = 0) -> Reason:
    """The same as a reason for something else; with its own causes unless that goes too deep."""
    return _TELLERS[task.state](facts, task, depth)


def _reason(
    facts: RunFacts, task: TaskFacts, code: str, words: str, because: tuple[Reason, ...] = ()
) -> Reason:
    return Reason(
        code=code,
        text=f"`{task.name}` {words}",
        since=task.since,
        until=task.wake_at if code in _WOKEN else None,
        about=_about(facts, task),
        because=because,
    )


#: Of these the time at which they are taken up again is told.
_WOKEN = frozenset({"retries", "looks_again", "waits_for_answer", "sleeps"})


def _about(facts: RunFacts, task: TaskFacts) -> About:
    return About(
        kind="task",
        name=facts.graph.nodes[task.key[0]].task_id,
        dag_id=facts.dag_id,
        run_id=facts.run_id,
        map_index=task.key[1],
    )


# ------------------------------------------------------------------- waiting


def _waiting(facts: RunFacts, task: TaskFacts, depth: int) -> Reason:
    if facts.state is RunState.QUEUED:
        from_run = Reason(
            code="run_waits",
            text="its run has not begun",
            since=facts.since,
            about=About(kind="run", name=facts.run_id, dag_id=facts.dag_id, run_id=facts.run_id),
        )
        return _reason(facts, task, "waits_for_run", "waits for its run to begin", (from_run,))
    before = facts.upstream_of(task)
    unfinished = [other for other in before if not other.state.is_final]
    if unfinished and _verdict(facts, task) is Verdict.WAIT:
        return _waits_for_upstream(facts, task, unfinished, depth)
    if held := _held_by_past(facts, task):
        return _reason(facts, task, "waits_for_past", "waits for the run before it", held)
    if task.ready_at is not None or (task.is_gated and not unfinished):
        return _waits_for_slot(facts, task)
    return _reason(facts, task, "about_to_start", "is about to be given to its queue")


def _held_by_past(facts: RunFacts, task: TaskFacts) -> tuple[Reason, ...]:
    """What it waits for in the run before (`depends_on_past`, `wait_for_downstream`)."""
    before = facts.before
    if before is None or not facts.graph.nodes[task.key[0]].awaits_past:
        return ()
    causes = []
    for name in past.awaited(facts.graph, task.key[0]):
        bad = sorted({state.value for state in before.states.get(name, ())} - past.GOOD)
        if not bad:
            continue
        rule = (
            "depends_on_past"
            if name == facts.graph.nodes[task.key[0]].task_id
            else "wait_for_downstream"
        )
        causes.append(
            Reason(
                code=rule,
                text=f"`{name}` of `{before.run_id}` is {few(bad)} ({rule})",
                about=About(kind="task", name=name, dag_id=facts.dag_id, run_id=before.run_id),
            )
        )
    return tuple(causes[:WIDE])


def _verdict(facts: RunFacts, task: TaskFacts) -> Verdict:
    nodes = facts.graph.nodes
    before = facts.upstream_of(task)
    setups = [other.state for other in before if nodes[other.key[0]].is_setup]
    tally = Tally.of([other.state for other in before], setups=setups)
    return judge(nodes[task.key[0]].trigger_rule, tally)


def _waits_for_upstream(
    facts: RunFacts, task: TaskFacts, unfinished: list[TaskFacts], depth: int
) -> Reason:
    # What has begun is nearer to the end than what waits itself.
    unfinished = sorted(unfinished, key=lambda other: (other.state is S.WAITING, other.key))
    names = few([f"`{other.name}`" for other in unfinished])
    because: tuple[Reason, ...] = ()
    if depth < DEEP:
        # One chain to its end says more than five beginnings.
        width = WIDE if depth == 0 else 1
        because = tuple(reason_of(facts, other, depth + 1) for other in unfinished[:width])
    return _reason(facts, task, "waits_for_upstream", f"waits for {names}", because)


def _waits_for_slot(facts: RunFacts, task: TaskFacts) -> Reason:
    causes: list[Reason] = []
    ended = [other.finished_at for other in facts.upstream_of(task) if other.finished_at]
    # Since when it stands in line is not kept of the past; what was before it had ended then.
    since = task.ready_at or max(ended, default=facts.started_at)
    if task.pool is not None:
        causes.append(_pool(facts, task))
    limit = facts.max_active_tasks
    if limit is not None and (facts.is_past or len(facts.active_tasks) >= limit):
        taken = len(facts.active_tasks)
        text = (
            f"its DAG may have {count(limit, 'task')} under way at once (max_active_tasks): "
            f"{_are(facts, taken)}"
        )
        causes.append(
            Reason(
                code="dag_limit",
                text=text,
                since=since,
                about=About(kind="dag", name=facts.dag_id),
                because=_holders(facts.active_tasks),
            )
        )
    where = f"of the pool `{task.pool}`" if task.pool else "of its DAG"
    slots = count(task.pool_slots, "slot") if task.pool_slots > 1 else "a slot"
    reason = _reason(facts, task, "waits_for_slot", f"waits for {slots} {where}", tuple(causes))
    return Reason(
        code=reason.code, text=reason.text, since=since or reason.since, about=reason.about,
        because=reason.because,
    )  # fmt: skip


def _pool(facts: RunFacts, task: TaskFacts) -> Reason:
    about = About(kind="pool", name=task.pool or "")
    found = facts.pools.get(task.pool or "")
    if found is None:
        text = f"there is no pool `{task.pool}` any more: make it, or change the task"
        return Reason(code="pool_unknown", text=text, about=about)
    if facts.is_past:
        # How many slots it had is not kept: who is known to have had one is told.
        are = "is" if found.taken == 1 else "are"
        text = f"{count(found.taken, 'slot')} of `{task.pool}` {are} known to have been taken"
        causes = _holders(found.holders)
        return Reason(code="pool_full", text=text, about=about, because=causes)
    if found.slots == 0:
        text = f"the pool `{task.pool}` has no slots: it holds back every task until it gets some"
        return Reason(code="pool_closed", text=text, about=about)
    if task.pool_slots > found.slots:
        text = f"it needs {task.pool_slots} slots, and the pool `{task.pool}` has {found.slots}"
        return Reason(code="pool_too_small", text=text, about=about)
    text = f"{found.taken} of {found.slots} slots of `{task.pool}` are taken"
    if found.taken + task.pool_slots <= found.slots:
        text = f"{text}: it is about to get one, or others come first"
    causes = _holders(found.holders)
    return Reason(code="pool_full", text=text, since=task.ready_at, about=about, because=causes)


def _are(facts: RunFacts, taken: int) -> str:
    if facts.is_past:
        return f"{taken} {'is' if taken == 1 else 'are'} known to have been"
    return f"{taken} {'is' if taken == 1 else 'are'}"


def _holders(holders: tuple[Holder, ...]) -> tuple[Reason, ...]:
    causes = [
        Reason(
            code="holder",
            text=f"`{each.dag_id}/{each.run_id}/{_name(each)}` has"
            f" {'one' if each.slots == 1 else each.slots}",
            since=each.since,
            about=About(
                kind="task",
                name=each.task_id,
                dag_id=each.dag_id,
                run_id=each.run_id,
                map_index=each.map_index,
            ),
        )
        for each in holders[:WIDE]
    ]
    if len(holders) > WIDE:
        causes.append(Reason(code="more", text=f"and {count(len(holders) - WIDE, 'other task')}"))
    return tuple(causes)


def _name(holder: Holder) -> str:
    return holder.task_id if holder.map_index < 0 else f"{holder.task_id}[{holder.map_index}]"


# ------------------------------------------------------------------- on its way


def _queued(facts: RunFacts, task: TaskFacts, depth: int) -> Reason:  # of all tellers
    reason = _reason(facts, task, "in_queue", f"lies in the queue `{task.queue}`")
    if facts.is_past:
        return reason
    queue = facts.queues.get(task.queue)
    about = About(kind="queue", name=task.queue)
    if queue is None or not queue.workers:
        text = f"no worker that is alive serves the queue `{task.queue}`: start one"
        cause = Reason(code="no_worker", text=text, about=about)
    elif queue.running >= queue.processes:
        text = f"every process of {few(list(queue.workers))} is busy ({queue.processes} in all)"
        ahead = max(queue.queued - 1, 0)
        if ahead:
            text = f"{text}, and {count(ahead, 'other task')} wait in the queue"
        cause = Reason(code="workers_busy", text=text, about=about)
    elif queue.queued > 1:
        text = f"{count(queue.queued - 1, 'other task')} wait in the queue, some of them before it"
        cause = Reason(code="behind_others", text=text, about=about)
    else:
        text = f"{few(list(queue.workers))} will take it in a moment"
        cause = Reason(code="about_to_start", text=text, about=about)
    causes = [cause]
    if task.lost_count:
        text = f"its worker was lost {count(task.lost_count, 'time')}: it is begun again"
        causes.append(Reason(code="was_lost", text=text, since=task.since))
    return Reason(
        code=reason.code, text=reason.text, since=reason.since, about=reason.about,
        because=tuple(causes),
    )  # fmt: skip


def _running(facts: RunFacts, task: TaskFacts, depth: int) -> Reason:
    where = f" on {task.worker}" if task.worker else ""
    lease = task.lease_expires_at
    causes: tuple[Reason, ...] = ()
    if not facts.is_past and lease is not None:
        heard = facts.silent.get(task.worker)
        if lease < facts.at:
            text = (
                f"{task.worker or 'its worker'} has not been heard of: it is about to be taken over"
            )
            causes = (Reason(code="worker_silent", text=text, since=heard or lease),)
        elif heard is not None:
            text = f"{task.worker} is silent: it is taken over when its lease has run out"
            causes = (Reason(code="worker_silent", text=text, since=heard, until=lease),)
    tries = (
        f", try {task.attempt} of {task.max_attempts}"
        if task.attempt and task.max_attempts > 1
        else ""
    )
    return _reason(facts, task, "running", f"is running{where}{tries}", causes)


def _up_for_retry(facts: RunFacts, task: TaskFacts, depth: int) -> Reason:
    words = f"failed in try {task.attempt} of {task.max_attempts}, and is tried again"
    return _reason(facts, task, "retries", words, _died_of(task))


def _rescheduled(facts: RunFacts, task: TaskFacts, depth: int) -> Reason:
    return _reason(
        facts, task, "looks_again", "has not found what it waits for, and looks again",
        _died_of(task),
    )  # fmt: skip


def _deferred(facts: RunFacts, task: TaskFacts, depth: int) -> Reason:
    if (question := facts.questions.get(task.key)) is not None:
        subject, people = question
        text = f"“{subject}” has no answer yet"
        if people:
            text = f"{text}; {few(list(people))} may give it"
        cause = Reason(
            code="unanswered", text=text, about=About(kind="approvals", name="approvals")
        )
        return _reason(facts, task, "waits_for_answer", "waits for somebody's answer", (cause,))
    return _reason(facts, task, "sleeps", "waits, and holds no worker meanwhile", _died_of(task))


def _cancelling(facts: RunFacts, task: TaskFacts, depth: int) -> Reason:
    words = f"is being cancelled ({task.reason} by {task.actor}): its worker has been told"
    return _reason(facts, task, "cancelling", words)


def _restarting(facts: RunFacts, task: TaskFacts, depth: int) -> Reason:
    words = f"is stopped, to run again ({task.reason} by {task.actor})"
    return _reason(facts, task, "restarting", words)


# ------------------------------------------------------------------- over


def _success(facts: RunFacts, task: TaskFacts, depth: int) -> Reason:
    return _reason(facts, task, "success", "has succeeded")


def _failed(facts: RunFacts, task: TaskFacts, depth: int) -> Reason:
    tries = ""
    if task.attempt:
        tries = " at its only try" if task.attempt == 1 else f" after {task.attempt} tries"
    causes = _died_of(task)
    if not causes:
        causes = (Reason(code="never_begun", text=f"it was never begun: {task.reason}"),)
    return _reason(facts, task, "failed", f"has failed{tries}", causes)


def _skipped(facts: RunFacts, task: TaskFacts, depth: int) -> Reason:
    if task.reason not in _SETTLED:
        return _reason(facts, task, "skipped_itself", "has skipped itself", _died_of(task))
    return _reason(facts, task, "skipped", "was skipped", _settled_by(facts, task, depth))


def _upstream_failed(facts: RunFacts, task: TaskFacts, depth: int) -> Reason:
    words = "was not begun, because something before it went wrong"
    return _reason(facts, task, "upstream_failed", words, _settled_by(facts, task, depth))


def _cancelled(facts: RunFacts, task: TaskFacts, depth: int) -> Reason:
    by = f" by {task.actor}" if task.actor else ""
    return _reason(facts, task, "cancelled", f"was cancelled ({task.reason}{by})")


def _removed(facts: RunFacts, task: TaskFacts, depth: int) -> Reason:
    return _reason(facts, task, "removed", "is no longer part of the run")


def _ended_fast(facts: RunFacts, task: TaskFacts) -> Reason | None:
    """What failed first, where the first failure ends a run and this was what it ended."""
    if not facts.graph.fails_fast:
        return None
    wrong = [other for other in facts.tasks.values() if other.state in _BROKEN and other.since]
    first = min(wrong, key=lambda other: (other.since is None, other.since), default=None)
    if first is None or first.since is None or (task.since and task.since < first.since):
        return None
    return Reason(
        code="fail_fast",
        text=f"`{first.name}` went wrong, and the first failure ends a run of this DAG (fail_fast)",
        since=first.since,
        about=_about(facts, first),
        because=_died_of(first),
    )


def _settled_by(facts: RunFacts, task: TaskFacts, depth: int) -> tuple[Reason, ...]:
    """Which tasks before it have brought it to its end without a start."""
    if task.reason in {"fail fast", "run cancelled", "run timeout", "task cancelled"}:
        return (Reason(code="stopped", text=f"the run was stopped: {task.reason}"),)
    if task.state is S.SKIPPED and (ended := _ended_fast(facts, task)):
        return (ended,)
    before = facts.upstream_of(task)
    node = facts.graph.nodes[task.key[0]]
    chose = [
        other for other in before if other.chosen is not None and node.task_id not in other.chosen
    ]
    if chose:
        branch = chose[0]
        went = few([f"`{name}`" for name in branch.chosen or ()]) or "nothing"
        text = f"`{branch.name}` has decided to go on with {went}"
        return (
            Reason(code="not_chosen", text=text, since=branch.since, about=_about(facts, branch)),
        )
    wrong = [other for other in before if other.state in _BROKEN]
    skipped = [other for other in before if other.state is S.SKIPPED]
    causes: list[Reason] = []
    if depth < DEEP:
        width = WIDE if depth == 0 else 1
        first = wrong if task.state is S.UPSTREAM_FAILED else [*skipped, *wrong]
        causes = [reason_of(facts, other, depth + 1) for other in first[:width]]
    if node.trigger_rule is not TriggerRule.ALL_SUCCESS:
        text = f"its trigger rule is {node.trigger_rule.value}, and {_tally(before)}"
        causes.insert(0, Reason(code="trigger_rule", text=text))
    return tuple(causes)


def _tally(before: list[TaskFacts]) -> str:
    counts = {state: sum(other.state is state for other in before) for state in TaskState}
    return ", ".join(f"{number} {state.value}" for state, number in counts.items() if number)


def _died_of(task: TaskFacts) -> tuple[Reason, ...]:
    if not task.ended_with and not task.message:
        return ()
    message = " ".join(task.message.split())
    if len(message) > _LONGEST:
        message = f"{message[:_LONGEST]}…"
    text = f"{task.ended_with}: {message}" if message else task.ended_with
    return (Reason(code=task.ended_with or "message", text=text.removeprefix(": ")),)


_TELLERS: dict[TaskState, Callable[[RunFacts, TaskFacts, int], Reason]] = {
    S.WAITING: _waiting,
    S.QUEUED: _queued,
    S.RUNNING: _running,
    S.UP_FOR_RETRY: _up_for_retry,
    S.UP_FOR_RESCHEDULE: _rescheduled,
    S.DEFERRED: _deferred,
    S.CANCELLING: _cancelling,
    S.RESTARTING: _restarting,
    S.SUCCESS: _success,
    S.FAILED: _failed,
    S.SKIPPED: _skipped,
    S.UPSTREAM_FAILED: _upstream_failed,
    S.CANCELLED: _cancelled,
    S.REMOVED: _removed,
}
