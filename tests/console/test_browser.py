"""The pages in a real browser: main paths, hostile text, themes, keys, a phone, and accessibility."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from gem_tasks.visible import visible_lines
from tests.console import hostile_world
from tests.console.hostile import PARTITION, PAYLOADS, RUN

PAGES = (
    "?range=all", f"partitions/{PARTITION}", "documents", "documents/{document}", "trajectories", "refused",
    "trajectories/{trajectory}", "trajectories/{trajectory}?show=compare", "trajectories/{trajectory}?show=raw",
    "made/{recipe}/{refused}", "prompts", "prompts/{prompt}", "failures?range=all&stage=generate&class=malformed",
    "worlds/{world}/{played}", "made/{verify}/{played}?show=changes",
    "datasets?all=1", "datasets/{version}", "run?dag_id=gem_synthesize&run_id={run}",
    "task?run_id={run}&task_id=filter.run&map_index=0", "api/docs", "documents?q={payload}",
)  # fmt: skip


@pytest.fixture(scope="module")
def known(work):
    from urllib.parse import quote

    chain = hostile_world.chain(work.chain.id_of("extract"))
    with work.ledger() as ledger:

        def one(sql):
            return next(iter(ledger.pg.execute(sql).fetchone().values()))

        trajectory = one("SELECT trajectory_id FROM trajectories LIMIT 1")
        return {
            "document": trajectory,
            "trajectory": trajectory,
            "recipe": work.chain.id_of("validate"),
            "refused": one("SELECT segment_id FROM stage_results WHERE reason = 'check_grounding' LIMIT 1"),
            "world": chain["world"].recipe_id,
            "verify": chain["verify"].recipe_id,
            "played": one("SELECT segment_id FROM stage_results WHERE stage = 'verify'"),
            "prompt": one("SELECT sha256 FROM prompts LIMIT 1"),
            "version": one("SELECT version FROM datasets LIMIT 1"),
            "run": quote(RUN.run_id, safe=""),
            "payload": quote(PAYLOADS[1], safe=""),
        }


def test_hostile_text_is_text_on_every_page(browse, address, known):
    page = browse()
    seen = ""
    for path in PAGES:
        page.goto(address + path.format(**known))
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        assert page.evaluate("window.pwned") is None, path
        assert page.locator("script").count() == 2, path
        assert page.locator("iframe, object, embed, base, meta[http-equiv]:not([http-equiv=''])").count() == 0, path
        assert page.evaluate(ATTRIBUTES) == [], path
        assert page.locator("main").is_visible(), path
        seen += page.locator("body").text_content() or ""
    assert page.faults == []
    for payload in PAYLOADS:
        assert visible_lines(payload) in seen


ATTRIBUTES = """[...document.querySelectorAll('*')].flatMap(one => one.getAttributeNames()
    .filter(name => name.startsWith('on') || name === 'style' || /^javascript:/i.test(one.getAttribute(name)))
    .filter(name => !['data-copy', 'value', 'title', 'datetime', 'aria-label'].includes(name)))"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_has_serious_accessibility_faults(browse, address, known, theme):
    page, axe, serious = browse(theme=theme), Axe(), {}
    for path in PAGES:
        page.goto(address + path.format(**known))
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        found = axe.run(page).response["violations"]
        for each in found:
            if each["impact"] in ("serious", "critical"):
                serious[each["id"], each["nodes"][0]["html"][:200]] = path, each["nodes"][0].get("failureSummary", "")
    assert serious == {}


def test_nothing_is_wider_than_a_laptop_or_a_phone(browse, address, known):
    wide = {}
    for width in (1280, 390):
        page = browse(viewport={"width": width, "height": 800})
        for path in PAGES:
            page.goto(address + path.format(**known))
            if page.evaluate("document.documentElement.scrollWidth") > width:
                wide[path, width] = page.evaluate(TOO_WIDE)
    assert wide == {}


def test_the_leaderboard_is_read_at_1280_px_without_scrolling_and_in_low_rows(browse, address):
    page = browse(viewport={"width": 1280, "height": 800})
    page.goto(f"{address}datasets")
    board = page.get_by_role("region", name="Leaderboard")
    assert board.evaluate("one => one.scrollWidth <= one.clientWidth")
    rows = board.evaluate("one => [...one.querySelectorAll('tr.paper')].map(row => row.clientHeight / 19)")
    assert len(rows) > 20
    assert max(rows) < 3, "a name and its source: two lines"
    assert all(link.startswith("https://") for link in board.locator("a").evaluate_all("all => all.map(a => a.href)"))


TOO_WIDE = """[...document.querySelectorAll('main *')].filter(one => !one.closest('.scroll')
    && one.getBoundingClientRect().right > innerWidth).slice(0, 3).map(one => one.outerHTML.slice(0, 100))"""


def test_a_person_finds_a_document_and_reads_its_trajectory(browse, address):
    page = browse()
    page.goto(address)
    page.keyboard.press("/")
    page.keyboard.type("meta refresh")
    page.keyboard.press("Enter")
    page.locator("table.rows tbody a").first.click()
    assert page.locator(".source").first.is_visible()
    page.goto(f"{address}trajectories")
    page.locator("table.rows tbody a").first.click()
    assert page.locator(".message.assistant").count() > 1
    assert not page.locator(".call pre").first.is_visible()
    page.locator(".call summary").first.click()
    assert page.locator(".call pre").first.is_visible()
    page.get_by_role("link", name="before and after").click()
    assert page.locator(".compare section").count() == 2
    page.get_by_role("link", name="raw JSON").click()
    with page.expect_download() as download:
        page.get_by_text("download").click()
    assert download.value.suggested_filename.endswith(".json")
    assert page.faults == []


def test_the_overview_follows_what_happens_without_a_reload(browse, address, work):
    page = browse()
    page.goto(f"{address}?range=all")
    page.evaluate("window.same = true")
    with work.ledger() as ledger:
        ledger.pg.execute("INSERT INTO partitions (partition_key) VALUES ('2026-11-02T10:00')")
        page.get_by_role("link", name="2026-11-02T10:00").wait_for(timeout=40_000)
        ledger.pg.execute("DELETE FROM partitions WHERE partition_key = '2026-11-02T10:00'")
    assert page.evaluate("window.same")
    assert page.faults == []


def test_keys_move_between_pages_and_rows(browse, address):
    page = browse()
    page.goto(address)
    page.keyboard.press("g")
    with page.expect_navigation():
        page.keyboard.press("d")
    assert page.url.endswith("/documents")
    page.keyboard.press("j")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "/documents/" in page.url


def test_the_theme_follows_airflow_s_switch(browse, address):
    page = browse(theme="light")
    page.goto(address)
    page.evaluate("localStorage.setItem('theme', 'dark'); dispatchEvent(new Event('storage'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_retry_is_asked_twice_and_a_viewer_is_told_no(browse, address):
    page = browse("viewer")
    page.goto(f"{address}failures?range=all")
    button = page.locator("[data-retry]").first
    button.click()
    button.click()
    page.get_by_text("You do not have permission to start runs.").wait_for()
    page = browse("op")
    page.goto(f"{address}failures?range=all")
    button = page.locator("[data-retry]").first
    button.click()
    button.click()
    page.get_by_text("are marked for a retry").wait_for()
    assert page.locator("#said a").first.inner_text() == PARTITION
