"""What people were asked."""

from __future__ import annotations

from runs_app.models import Approval
from runs_app.models.approval import ApprovalQuerySet
from skytrail.security.subject import Subject


def approvals_matching(
    user: Subject,
    *,
    pending: bool | None = None,
    dag_id: str | None = None,
    run_id: str | None = None,
) -> ApprovalQuerySet:
    """Those that `user` may see and that fulfil every condition given."""
    approvals: ApprovalQuerySet = Approval.objects.visible_to(user)
    if pending is True:
        approvals = approvals.pending()
    elif pending is False:
        approvals = approvals.exclude(pk__in=Approval.objects.pending().values("pk"))
    if dag_id is not None:
        approvals = approvals.filter(task_run__dag__dag_id=dag_id)
    if run_id is not None:
        approvals = approvals.filter(task_run__run__run_id=run_id)
    return approvals.shown()
