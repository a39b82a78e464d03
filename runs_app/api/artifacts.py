"""Artifacts over REST: what there is, and its content."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from urllib.parse import quote
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from runs_app.access import access_artifact, access_run
from runs_app.api.serializers import ArtifactSerializer
from runs_app.domain.artifacts import BYTES
from runs_app.models import Artifact
from runs_app.selectors.artifacts import artifact_store, artifacts_of
from skytrail.rest.lists import ListView
from skytrail.rest.showing import show
from skytrail.rest.views import View

_NOT_THERE = OpenApiResponse(description="There is no such artifact, or you may not see it.")


class ArtifactQuery(serializers.Serializer[Artifact]):
    """Whose artifacts."""

    task_id = serializers.CharField(required=False, max_length=250, help_text="Of this task.")


class RunArtifactListView(ListView):
    """The artifacts of a run."""

    @extend_schema(
        operation_id="artifacts_list",
        parameters=[ArtifactQuery],
        responses=ArtifactSerializer(many=True),
    )
    def get(self, request: Request, dag_id: str, run_id: str) -> Response:
        """List what the tasks of a run have left in the artifact store, newest first."""
        run = access_run(request.user, dag_id, run_id)
        return self.page(artifacts_of(run, **self.wanted(ArtifactQuery)), ArtifactSerializer)


class ArtifactView(View):
    """One artifact."""

    @extend_schema(
        operation_id="artifacts_retrieve", responses={200: ArtifactSerializer, 404: _NOT_THERE}
    )
    def get(self, request: Request, key: UUID) -> Response:
        """Show an artifact: its name, size and digest, and until when it is kept."""
        return Response(show(ArtifactSerializer, access_artifact(request.user, key)))


class ArtifactContentView(View):
    """What an artifact holds."""

    @extend_schema(
        operation_id="artifacts_content",
        responses={(200, BYTES): OpenApiTypes.BINARY, 404: _NOT_THERE},
    )
    def get(self, request: Request, key: UUID) -> StreamingHttpResponse:
        """Download an artifact."""
        return as_download(access_artifact(request.user, key, content=True))


def as_download(artifact: Artifact) -> StreamingHttpResponse:
    """The content, to be saved: whoever wrote it, no browser takes it for a page of ours.

    Raises `StoreFailed` where the store does not even begin.
    """
    pieces = artifact_store().pieces(artifact.key)
    first = next(pieces, b"")
    return StreamingHttpResponse(
        _streamed(first, pieces),
        content_type=BYTES,
        headers={
            "Content-Length": str(artifact.size),
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(artifact.name)}",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
            "ETag": f'"{artifact.sha256}"',
        },
    )


async def _streamed(first: bytes, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    more = sync_to_async(lambda: next(pieces, b""), thread_sensitive=False)
    while piece := await more():
        yield piece
