"""Every route there is: nobody gets nothing, a viewer reads, and only who may start runs acts."""

import logging
from io import StringIO

import pytest
from fastapi.routing import APIRoute

from tests.console import hostile_api, hostile_world

ACT = {
    "/api/failures/retry": {"which": {"stage": "generate"}, "dry_run": True},
    "/api/backfills": {"first": "2026-11-01T10:00:00Z", "last": "2026-11-02T10:00:00Z"},
}


@pytest.fixture(scope="module")
def routes(app):
    from gem_console.app import create_app

    return create_app().routes


@pytest.fixture(scope="module")
def known(work):
    """Values for the routes' parameters, so that each answers with something."""
    played = hostile_world.chain(work.chain.id_of("extract"))
    with work.ledger() as ledger:
        (trajectory,) = ledger.pg.execute(
            "SELECT trajectory_id, segment_id, recipe_id, dataset_version FROM trajectories"
            " WHERE segment_id IN (SELECT segment_id FROM stage_results WHERE stage = 'verify')"
        ).fetchall()
        prompt = ledger.pg.execute("SELECT sha256 FROM prompts LIMIT 1").fetchone()["sha256"]
    return {
        "key": "2026-11-01T10:00",
        "document_id": trajectory["segment_id"].split(".")[0],
        "trajectory_id": trajectory["trajectory_id"],
        "recipe_id": trajectory["recipe_id"],
        "segment_id": trajectory["segment_id"],
        "version": trajectory["dataset_version"],
        "sha256": prompt,
        "world_recipe": played["world"].recipe_id,
        "played_recipe": played["verify"].recipe_id,
        "name": "gem.css",
        "report_id": hostile_api.kept(work),
    }


FORMS = {"/trajectories/{trajectory_id}/changes"}


def each(routes, known, method):
    for route in routes:
        if method in route.methods:
            yield route.path.lstrip("/").format(**known) + "?run_id=r&task_id=t"


def test_everything_is_a_route_of_a_router_so_nothing_escapes_its_rights(routes):
    assert len(routes) > 30
    for route in routes:
        assert isinstance(route, APIRoute), route
        assert route.methods in ({"GET"}, {"POST"}), route.path
        assert route.dependencies, f"{route.path} has no rights"


def test_nobody_gets_nothing(routes, known, client):
    anonymous = client()
    for method in ("GET", "POST"):
        for path in each(routes, known, method):
            assert anonymous.request(method, path, json={}).status_code == 401, path


def test_a_bad_token_gets_nothing(routes, known, client):
    for method in ("GET", "POST"):
        for path in each(routes, known, method):
            answer = client(Authorization="Bearer nonsense").request(method, path, json={})
            assert answer.status_code in (401, 403), path


def test_a_viewer_reads_everything(routes, known, client):
    viewer = client("viewer")
    for path in each(routes, known, "GET"):
        assert viewer.get(path, follow_redirects=False).status_code == 200, path


def test_a_viewer_changes_nothing(routes, known, client):
    paths = list(each(routes, known, "POST"))
    assert paths
    for path in paths:
        assert client("viewer").post(path, json={}).status_code == 403, path


@pytest.mark.parametrize("role", ["user", "op", "admin"])
def test_who_may_start_runs_acts(routes, client, known, role):
    acting = [route for route in routes if "POST" in route.methods]
    assert {route.path for route in acting} == {*ACT, *FORMS}
    for route in acting:
        if route.path in FORMS:
            said = {"kind": "comment", "words": f"said by {role}"}
            answer = client(role).post(route.path.lstrip("/").format(**known), data=said, follow_redirects=False)
            assert (answer.status_code, answer.headers["location"]) == (303, f"../{known['trajectory_id']}#people")
        else:
            assert client(role).post(route.path.lstrip("/"), json=ACT[route.path]).status_code == 200, route.path


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://other.testserver"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "http://testserver"}, 200),
        ({"Origin": "http://testserver.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_a_session_acts_from_pages_of_this_origin_only(client, headers, status):
    from tests.console import serving

    cookie = {"Cookie": f"_token={serving.token('admin')}"}
    answer = client(**headers, **cookie).post("api/failures/retry", json=ACT["/api/failures/retry"])
    assert answer.status_code == status, answer.text


def test_a_form_of_another_site_is_not_even_read(client):
    answer = client("admin").post("api/failures/retry", data={"which": "{}"})
    assert answer.status_code == 422


def test_every_answer_has_the_strict_policy(client):
    for path in ("", "api/overview", "static/gem.js", "nothing", "documents/none"):
        policy = client("viewer").get(path).headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy


def test_the_description_names_every_api_route_and_is_for_users_only(routes, client):
    paths = client("viewer").get("api/openapi.json").json()["paths"]
    api = {route.path for route in routes if route.path.startswith("/api/")}
    assert api - set(paths) == {"/api/openapi.json", "/api/docs"}
    assert client("viewer").get("docs").status_code == 404
    assert client("viewer").get("openapi.json").status_code == 404


def test_from_the_first_request_on_the_servers_tracebacks_show_no_secret():
    from gem_console.app import create_app
    from gem_tasks import redaction

    before, server, shown = logging.getLogRecordFactory(), logging.getLogger("uvicorn.error"), StringIO()
    server.addHandler(handler := logging.StreamHandler(shown))
    redaction.know("GEM_LLM_API_KEY", "key-of-an-endpoint-4711")
    try:
        create_app()
        try:
            raise RuntimeError("refused key-of-an-endpoint-4711")
        except RuntimeError:
            server.exception("Exception in ASGI application")
    finally:
        server.removeHandler(handler)
        logging.setLogRecordFactory(before)
        redaction.IN_FORCE.forget()
    assert f"RuntimeError: refused {redaction.MASK}" in shown.getvalue()
    assert "4711" not in shown.getvalue()
