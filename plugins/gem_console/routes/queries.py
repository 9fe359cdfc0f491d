"""Query parameters of the lists, shared by pages and API."""

from typing import Annotated

from fastapi import Depends, Query

from gem_console.routes.common import given, number
from gem_tasks.console.documents import DocumentQuery
from gem_tasks.console.failures import FailureQuery
from gem_tasks.console.trajectories import TrajectoryQuery

Limit = Annotated[int, Query(ge=1, le=200, description="Maximum number of rows.")]
Cursor = Annotated[str, Query(description="`next` of the previous answer.")]


async def document_query(
    q: Annotated[str, Query(description="Words in title or address, an address, or an id.")] = "",
    status: Annotated[str, Query(description="`read`, `failed`, or the reason why a document was rejected.")] = "",
    source: str = "",
    domain: str = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> DocumentQuery:
    """Query parameters for lists of documents."""
    return DocumentQuery(
        q=given(q),
        status="" if status == "read" else given(status),
        source_id=number(source),
        domain=given(domain),
        cursor=given(cursor),
        limit=limit,
    )


async def trajectory_query(
    domain: str = "",
    platform: str = "",
    tool: str = "",
    finding: str = "",
    recipe: str = "",
    version: str = "",
    least: Annotated[str, Query(description="Minimum number of messages.")] = "",
    most: Annotated[str, Query(description="Maximum number of messages.")] = "",
    audit: Annotated[str, Query(description="`yes` or `no`.")] = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> TrajectoryQuery:
    """Query parameters for lists of published trajectories."""
    return TrajectoryQuery(
        domain=given(domain),
        platform=given(platform),
        tool=given(tool),
        finding=given(finding),
        recipe=given(recipe),
        version=given(version),
        least=number(least),
        most=number(most),
        audited={"yes": True, "no": False}.get(audit),
        cursor=given(cursor),
        limit=limit,
    )


async def failure_query(
    stage: str = "",
    error_class: Annotated[str, Query(alias="class")] = "",
    raw: Annotated[bool, Query(description="Include the last answers of the models.")] = False,
    cursor: Cursor = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 25,
) -> FailureQuery:
    """Query parameters for lists of failures."""
    return FailureQuery(stage=given(stage), error_class=given(error_class), raw=raw, cursor=given(cursor), limit=limit)


DocumentQueryDep = Annotated[DocumentQuery, Depends(document_query)]
TrajectoryQueryDep = Annotated[TrajectoryQuery, Depends(trajectory_query)]
FailureQueryDep = Annotated[FailureQuery, Depends(failure_query)]
