"""Who may see and who may act. Airflow does not protect a plugin's app: these are dependencies of its routers.

| who                         | may                                                              |
|-----------------------------|------------------------------------------------------------------|
| nobody, a bad token         | nothing (401, 403)                                               |
| can read `gem_synthesize`'s runs (SimpleAuthManager: viewer) | see everything here             |
| can start them (user, op, admin)                  | act too                                    |

Acting changes something only from pages of this origin: the session's cookie is `SameSite=Lax`, and besides a browser
must say that the request comes from here. Callers with a token of their own in `Authorization` are no browsers.
"""

from typing import Annotated
from urllib.parse import urlsplit

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import Depends, Header, HTTPException, Request

DAG = "gem_synthesize"
"""Whose runs GEM's results come from: the right to see and start them is the right to see and act here."""

reads = Depends(requires_access_dag(method="GET", access_entity=DagAccessEntity.RUN, param_dag_id=DAG))
acts = Depends(requires_access_dag(method="POST", access_entity=DagAccessEntity.RUN, param_dag_id=DAG))


def same_origin(
    request: Request,
    authorization: Annotated[str | None, Header()] = None,
    origin: Annotated[str | None, Header()] = None,
    sec_fetch_site: Annotated[str | None, Header()] = None,
) -> None:
    """Refuses what another site makes a browser send.

    Raises:
        HTTPException: 403.
    """
    if authorization:
        return
    if sec_fetch_site:
        allowed = sec_fetch_site == "same-origin"
    else:  # an old browser, or one on plain HTTP: it still names the origin
        allowed = bool(origin) and urlsplit(origin or "").netloc == request.headers.get("host")
    if not allowed:
        raise HTTPException(403, "This request does not come from GEM's pages")


comes_from_here = Depends(same_origin)
