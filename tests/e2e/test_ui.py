"""GEM's pages where people find them: inside Airflow's UI, with its login, its theme and its addresses."""

import json
import os
import re
import shutil
import time

import httpx
import pytest

from tests.e2e.stack import EXAMPLES, change, gem, query

pytestmark = pytest.mark.e2e
LIMIT_S = 180


@pytest.fixture(scope="module")
def stack(home):
    """Address and password, with the examples run."""
    url, password = re.search(r"(http\S+)\s+user admin\s+password (\S+)", gem(home, "up").stdout).groups()
    gem(home, "run", EXAMPLES)
    return url, password


@pytest.fixture(scope="module")
def page(stack):
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None and not os.environ.get("GEM_REQUIRE_BROWSER"):
        pytest.skip("no Chromium on PATH")
    url, password = stack
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.goto(f"{url}/auth/login")
        page.fill("input[name=username]", "admin")
        page.fill("input[name=password]", password)
        page.click("button[type=submit]")
        page.wait_for_url(f"{url}/")
        yield page
        browser.close()


@pytest.fixture
def logged_in():
    opened = []

    def make(url, password):
        login = httpx.post(f"{url}/auth/token", json={"username": "admin", "password": password}).json()
        opened.append(httpx.Client(headers={"Authorization": f"Bearer {login['access_token']}"}, timeout=60))
        return opened[-1]

    yield make
    for client in opened:
        client.close()


def test_airflow_loads_the_plugin_and_lets_nobody_in_without_a_login(stack, logged_in):
    url, password = stack
    assert httpx.get(f"{url}/gem/").status_code == 401
    assert httpx.get(f"{url}/gem/api/overview").status_code == 401
    client = logged_in(url, password)
    assert client.get(f"{url}/api/v2/plugins/importErrors").json()["total_entries"] == 0
    assert client.get(f"{url}/gem/api/overview").json()["published"] > 0
    retried = client.post(f"{url}/gem/api/failures/retry", json={"which": {"stage": "generate"}, "dry_run": True})
    assert retried.json()["segments"] == 0


def ends(client, url, dag, run_id):
    """The state in which a run ends."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        state = client.get(f"{url}/api/v2/dags/{dag}/dagRuns/{run_id}").json()["state"]
        if state in ("success", "failed"):
            return state
        time.sleep(1)
    return pytest.fail(f"{run_id} of {dag} did not end in {LIMIT_S} s")


def test_the_pages_retry_and_backfill_start_runs_of_airflow_that_do_the_work(stack, home, logged_in):
    url, password = stack
    client = logged_in(url, password)
    ((segment, partition),) = query(
        home,
        "SELECT segment_id, partition_key FROM stage_results"
        " WHERE stage = 'validate' AND outcome = 'accepted' ORDER BY updated_at DESC LIMIT 1",
    )
    failed = (
        "UPDATE stage_results SET outcome = 'failed', error_class = 'malformed' WHERE segment_id = %s AND stage = %s"
    )
    change(home, failed, segment, "generate")
    asked = {"which": {"stage": "generate", "error_class": "malformed"}}
    retried = client.post(f"{url}/gem/api/failures/retry", json=asked).json()
    assert [(run["partition"], run["segments"], run["problem"]) for run in retried["runs"]] == [(partition, 1, None)]
    assert ends(client, url, "gem_synthesize", retried["runs"][0]["run_id"]) == "success"
    ended = (
        "SELECT outcome, attempts FROM stage_results WHERE segment_id = %s AND stage = 'generate' ORDER BY updated_at"
    )
    assert query(home, ended, segment)[-1] == ("accepted", 2)

    span = {"first": f"{partition}:00Z", "last": f"{partition}:00Z"}
    assert client.post(f"{url}/gem/api/backfills", json=span).json() == {
        "runs": 1,
        "backfill_id": None,
        "problem": None,
    }
    started = client.post(f"{url}/gem/api/backfills", json={**span, "dry_run": False}).json()
    assert started["problem"] is None
    deadline = time.monotonic() + LIMIT_S
    while not (found := client.get(f"{url}/api/v2/backfills/{started['backfill_id']}").json())["completed_at"]:
        assert time.monotonic() < deadline, found
        time.sleep(1)
    runs = client.get(f"{url}/api/v2/dags/gem_ingest/dagRuns", params={"order_by": "-id", "limit": 5}).json()[
        "dag_runs"
    ]
    (run,) = [each for each in runs if each["run_type"] == "backfill" and each["partition_key"] == partition][:1]
    assert ends(client, url, "gem_ingest", run["dag_run_id"]) == "success"


def test_from_the_navigation_to_a_trajectory_to_the_log_of_its_task(page, stack):
    url, _ = stack
    page.goto(f"{url}/plugin/gem")
    frame = page.frame_locator("iframe")
    frame.get_by_role("link", name="Trajectories").click()
    page.wait_for_url("**/plugin/gem/gem/trajectories")  # the overview has a table too
    frame.locator("table.rows tbody a").first.click()
    frame.locator(".message").first.wait_for()
    page.wait_for_url("**/plugin/gem/gem/trajectories/*")  # Airflow's own address leads here again
    page.reload()
    frame.locator("aside a[data-airflow]").first.click()
    page.wait_for_url("**/dags/gem_synthesize/runs/**/tasks/filter.run/mapped/**")
    task = page.url.rstrip("/")
    page.goto(f"{task}/plugin/gem_task")
    frame.get_by_role("heading", name="Results of this task").wait_for()
    assert frame.locator("table.rows tbody tr").count() > 5
    page.goto(f"{task.split('/tasks/')[0]}/plugin/gem_run")
    frame.get_by_role("heading", name="Results of this run").wait_for()


def test_tasks_have_a_button_to_their_page(page, stack, home, logged_in):
    client = logged_in(*stack)
    url, _ = stack
    runs = client.get(f"{url}/api/v2/dags/gem_synthesize/dagRuns", params={"state": "success"}).json()["dag_runs"]
    run = client.get(f"{url}/gem/api/trajectories").json()["trajectories"] and runs[0]["dag_run_id"]
    links = client.get(
        f"{url}/api/v2/dags/gem_synthesize/dagRuns/{run}/taskInstances/filter.run/links", params={"map_index": 0}
    ).json()["extra_links"]
    page.goto(links["GEM: segments"])
    page.frame_locator("iframe").get_by_role("heading", name="Results of this task").wait_for()
    assert json.loads(gem(home, "status", "--json").stdout)["healthy"]
