"""Who may see and who may act. Airflow does not protect a plugin's app, so its routers depend on these checks.

| who                         | may                                                              |
|-----------------------------|------------------------------------------------------------------|
| no user, or a bad token     | nothing (401, 403)                                               |
| can read `gem_synthesize`'s runs (SimpleAuthManager: viewer) | see everything here             |
| can start them (user, op, admin)                  | act too                                    |

Only pages of this origin may act: the session's cookie is `SameSite=Lax`, and a browser also has to state this origin,
even if it sends a token, because behind a proxy with its own login browsers send `Authorization` automatically. A
caller that states no origin is a program if it sends a token and no cookie.
"""

from typing import Annotated
from urllib.parse import urlsplit

from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from fastapi import Depends, Header, HTTPException, Request

from gem_tasks.airflow_names import SYNTHESIZE

"""GEM's results come from this DAG's runs: users who may see and start them may see and act here."""

reads = Depends(requires_access_dag(method="GET", access_entity=DagAccessEntity.RUN, param_dag_id=SYNTHESIZE))
_acts = requires_access_dag(method="POST", access_entity=DagAccessEntity.RUN, param_dag_id=SYNTHESIZE)
acts = Depends(_acts)
UserDep = GetUserDep


def _may_act(request: Request, user: GetUserDep) -> bool:
    """Whether to show forms; the routes that take them check again."""
    try:
        _acts(request, user)
    except HTTPException:
        return False
    return True


MayActDep = Annotated[bool, Depends(_may_act)]


def same_origin(
    request: Request,
    authorization: Annotated[str | None, Header()] = None,
    origin: Annotated[str | None, Header()] = None,
    sec_fetch_site: Annotated[str | None, Header()] = None,
) -> None:
    """Refuses requests that another site makes a browser send.

    Raises:
        HTTPException: 403.
    """
    said = [sec_fetch_site == "same-origin"] if sec_fetch_site is not None else []
    said += [_is_here(origin, request)] if origin is not None else []  # old browsers and plain HTTP send only this
    bearer = (authorization or "").lower().startswith("bearer ")
    if not (all(said) if said else bearer and COOKIE_NAME_JWT_TOKEN not in request.cookies):
        raise HTTPException(403, "This request does not come from GEM's pages")


def _is_here(origin: str, request: Request) -> bool:
    try:
        return urlsplit(origin).netloc == request.headers.get("host")
    except ValueError:
        return False


comes_from_here = Depends(same_origin)
