"""Approvals over REST: what waits for an answer, and answering."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from runs_app.access import access_approval
from runs_app.actions.approvals import decide
from runs_app.api.filters import ApprovalQuery
from runs_app.api.serializers import ApprovalSerializer, DecisionSerializer
from runs_app.selectors.approvals import approvals_matching
from skytrail.rest.lists import ListView
from skytrail.rest.pagination import NewestFirst
from skytrail.rest.requests import actor_of, body
from skytrail.rest.showing import show
from skytrail.rest.views import View


class ApprovalPage(NewestFirst):
    """What was asked last comes first."""

    ordering = ("-requested_at", "-id")


class ApprovalListView(ListView):
    """The approvals of all DAGs that you may see."""

    pagination_class = ApprovalPage

    @extend_schema(
        operation_id="approvals_list",
        parameters=[ApprovalQuery],
        responses=ApprovalSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List what people were asked, the newest first."""
        wanted = self.wanted(ApprovalQuery)
        return self.page(approvals_matching(request.user, **wanted), ApprovalSerializer)


class ApprovalView(View):
    """One approval."""

    @extend_schema(operation_id="approvals_retrieve", responses=ApprovalSerializer)
    def get(self, request: Request, approval: UUID) -> Response:
        """Show what was asked, and what was answered."""
        return Response(show(ApprovalSerializer, access_approval(request.user, approval)))


class ApprovalDecideView(View):
    """Answering."""

    @extend_schema(
        operation_id="approvals_decide",
        request=DecisionSerializer,
        responses={
            200: ApprovalSerializer,
            409: OpenApiResponse(description="It is decided already, or nobody waits for it."),
        },
    )
    def post(self, request: Request, approval: UUID) -> Response:
        """Choose one of the options; the task goes on at once."""
        asked = access_approval(request.user, approval, to="run")
        wanted = body(request, DecisionSerializer)
        decide(
            asked,
            choice=wanted["choice"],
            note=wanted["note"],
            actor=actor_of(request),
            username=request.user.get_username(),
        )
        return Response(show(ApprovalSerializer, access_approval(request.user, approval)))
