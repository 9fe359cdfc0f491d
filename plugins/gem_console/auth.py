"""Who may see and who may act. Airflow does not protect a plugin's app: these are dependencies of its routers.

| who                         | may                                                              |
|-----------------------------|------------------------------------------------------------------|
| nobody, a bad token         | nothing (401, 403)                                               |
| can read `gem_synthesize`'s runs (SimpleAuthManager: viewer) | see everything here             |
| can start them (user, op, admin)                  | act too                                    |

Acting changes something only from pages of this origin: the session's cookie is `SameSite=Lax`, and besides a browser
must say that the request comes from here, whatever else it sends: behind a proxy with a login of its own, browsers send
`Authorization` by themselves. A caller that says nothing of an origin is no browser if it has a token and no cookie.
"""

from typing import Annotated
from urllib.parse import urlsplit

from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import Depends, Header, HTTPException, Request

from gem_tasks.airflow_names import SYNTHESIZE

"""Whose runs GEM's results come from: the right to see and start them is the right to see and act here."""

reads = Depends(requires_access_dag(method="GET", access_entity=DagAccessEntity.RUN, param_dag_id=SYNTHESIZE))
acts = Depends(requires_access_dag(method="POST", access_entity=DagAccessEntity.RUN, param_dag_id=SYNTHESIZE))


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
    said = [sec_fetch_site == "same-origin"] if sec_fetch_site is not None else []
    said += [_is_here(origin, request)] if origin is not None else []  # all that old browsers and plain HTTP say
    bearer = (authorization or "").lower().startswith("bearer ")
    if not (all(said) if said else bearer and COOKIE_NAME_JWT_TOKEN not in request.cookies):
        raise HTTPException(403, "This request does not come from GEM's pages")


def _is_here(origin: str, request: Request) -> bool:
    try:
        return urlsplit(origin).netloc == request.headers.get("host")
    except ValueError:
        return False


comes_from_here = Depends(same_origin)
