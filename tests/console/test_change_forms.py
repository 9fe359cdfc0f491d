"""The forms on a trajectory's page: what they record, what they refuse, and that nothing written is lost."""

import html
import re

import pytest

from gem_tasks.edits.make import By, edit, undo, veto
from gem_tasks.edits.subject import load
from tests.console import hostile, serving


@pytest.fixture
def key(work):
    """An unchanged trajectory; changes that a test leaves are taken back."""
    with work.ledger() as ledger:
        found = ledger.pg.execute("SELECT trajectory_id FROM trajectories ORDER BY trajectory_id DESC LIMIT 1")
        name = found.fetchone()["trajectory_id"]
    yield name
    holds = load(work, name).holds
    for change in (*holds.comments, holds.veto, *([holds.edit] if holds.edit else [])):
        if change:
            undo(work, change.change_id, By("test", "page"))


@pytest.fixture
def act(client, key):
    """Sends the form as a role: `act(kind="veto", ...) -> answer`."""

    def send(role="user", **fields):
        headers = {"Accept": "text/html"}
        return client(role, **headers).post(f"trajectories/{key}/changes", data=fields, follow_redirects=False)

    return send


def area(text, name):
    """What a textarea holds, as a browser reads it."""
    found = re.search(rf'<textarea name="{name}"[^>]*>\n(.*?)</textarea>', text, re.DOTALL)
    return html.unescape(found[1]) if found else None


def hidden(text, name):
    return re.search(rf'name="{name}" value="([^"]*)"', text)[1]


def test_who_may_not_act_sees_what_people_said_but_no_form(client, act, key):
    assert act(kind="comment", words="read this <b>first</b>", message="1").status_code == 303
    page = client("viewer").get(f"trajectories/{key}").text
    assert "read this &lt;b&gt;first&lt;/b&gt;" in page
    assert "<form method" not in page
    assert "edit</a>" not in page
    assert "<textarea" not in client("viewer").get(f"trajectories/{key}?show=edit").text
    assert act("viewer", kind="veto", words="no").status_code == 403
    assert "<form method" in client("user").get(f"trajectories/{key}").text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}, 303),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_a_form_of_another_site_is_refused(client, key, headers, status):
    cookie = {"Cookie": f"_token={serving.token('admin')}"}
    sent = client(**headers, **cookie).post(
        f"trajectories/{key}/changes", data={"kind": "comment", "words": f"from {headers}"}, follow_redirects=False
    )
    assert sent.status_code == status


def test_a_veto_is_shown_with_its_author_and_taken_back(client, act, key, work):
    assert act("op", kind="veto", words="wrong date").status_code == 303
    page = client("viewer").get(f"trajectories/{key}").text
    assert ">vetoed</span>" in page
    assert "by <strong>op</strong>" in page
    again = act(kind="veto", words="twice")
    assert again.status_code == 409
    assert "op vetoed it already: wrong date" in again.text
    assert act(kind="undo", change=load(work, key).holds.veto.change_id).status_code == 303
    assert load(work, key).holds.veto is None


def test_an_edit_is_checked_then_saved_and_unchanged_fields_come_back_as_they_were(client, act, key, work):
    before = load(work, key).shown.messages
    form = client("user").get(f"trajectories/{key}?show=edit").text
    fields = {name: area(form, name) for name in re.findall(r'<textarea name="([^"]+)"', form)}
    sent = {name: text.replace("\n", "\r\n") for name, text in fields.items()}
    started = {"kind": "edit", "from": hidden(form, "from"), "revision": hidden(form, "revision")}
    same = act(**started, **sent)
    assert (same.status_code, "The conversation is as it was" in same.text) == (409, True)
    sent["content-1"] = f"{hostile.ALL} edited"
    checked = act(**started, **sent, action="check")
    assert (checked.status_code, "No errors were added" in checked.text) == (200, True)
    assert load(work, key).shown.messages == before
    assert area(checked.text, "content-1").endswith("edited")
    assert act(**started, **sent, why="clearer").status_code == 303
    after = load(work, key).shown.messages
    assert after[1].content.endswith("edited")
    assert (after[0], after[2:]) == (before[0], before[2:])
    page = client("viewer").get(f"trajectories/{key}").text
    assert ">edited</span>" in page
    assert 'class="added"' in page


def test_an_edit_with_errors_comes_back_with_them_and_is_kept_for_a_reason(client, act, key, work):
    form = client("user").get(f"trajectories/{key}?show=edit&text=1").text
    text = area(form, "text")
    assert text.startswith("- role: system")
    broken = text.replace("tool_call_id: call_0\n", "tool_call_id: call_99\n", 1)
    started = {"kind": "edit", "from": hidden(form, "from"), "revision": hidden(form, "revision")}
    refused = act(**started, text=broken)
    assert refused.status_code == 422
    assert "The checks find errors in the edit" in refused.text
    assert "call_99" in area(refused.text, "text")
    assert load(work, key).holds.edit is None
    assert act(**started, text=broken, keep="this is meant").status_code == 303
    assert load(work, key).holds.edit.kept == "this is meant"
    unreadable = act(**started, text="- role: robot\n  content: hi\n", why="an attempt")
    assert (unreadable.status_code, "&#39;robot&#39; is not a role" in unreadable.text) == (422, True)
    assert area(unreadable.text, "text") == "- role: robot\n  content: hi\n"
    assert 'value="an attempt"' in unreadable.text


def test_the_second_of_two_editors_is_told_keeps_the_text_and_may_save_it_after_all(client, act, key, work):
    form = client("user").get(f"trajectories/{key}?show=edit").text
    started = {"kind": "edit", "from": hidden(form, "from"), "revision": hidden(form, "revision")}
    messages = load(work, key).shown.messages
    other = (messages[0], messages[1].model_copy(update={"content": "Another's words."}), *messages[2:])
    edit(work, key, other, By("Anna", "terminal"))
    late = act(**started, **{"content-1": "My words."})
    assert late.status_code == 409
    assert "Anna edited it after you opened trajectory" in late.text
    assert area(late.text, "content-1") == "My words."
    assert load(work, key).shown.messages[1].content == "Another's words."
    now = {"kind": "edit", "from": hidden(late.text, "from"), "revision": hidden(late.text, "revision")}
    assert act(**now, **{"content-1": "My words."}).status_code == 303
    assert load(work, key).shown.messages[1].content == "My words."
    lost = act(kind="edit", revision="0" * 12, **{"from": "0" * 12, "content-1": "Words of long ago."})
    assert (lost.status_code, "Words of long ago." in area(lost.text, "text")) == (409, True)


@pytest.mark.parametrize("attempt", [{"action": "check"}, {"arguments-2-0": "{no JSON"}])
def test_what_another_saved_meanwhile_is_not_replaced_after_a_check_or_a_typing_error(client, act, key, work, attempt):
    form = client("user").get(f"trajectories/{key}?show=edit").text
    started = {"kind": "edit", "from": hidden(form, "from"), "revision": hidden(form, "revision")}
    messages = load(work, key).shown.messages
    theirs = f"Another's words, {len(attempt)} {min(attempt)}."
    other = (messages[0], messages[1].model_copy(update={"content": theirs}), *messages[2:])
    edit(work, key, other, By("Anna", "terminal"))
    page = act(**started, **{"content-1": "My words."}, **attempt).text
    assert "Anna edited it" not in page
    now = {"kind": "edit", "from": hidden(page, "from"), "revision": hidden(page, "revision")}
    late = act(**now, **{"content-1": "My words."})
    assert (late.status_code, "Anna edited it after you opened trajectory" in late.text) == (409, True)
    assert load(work, key).shown.messages[1].content == theirs


@pytest.mark.parametrize(
    ("fields", "status", "why"),
    [
        ({"kind": "veto", "words": ""}, 422, "A reason has 1 to 10,000 characters"),
        ({"kind": "veto", "words": "x" * 20_000}, 422, "A reason has 1 to 10,000 characters"),
        ({"kind": "comment", "words": "hm", "message": "999"}, 422, "There is no message 999"),
        ({"kind": "nonsense"}, 422, "names no kind of change"),
        ({"kind": "undo", "change": "zzz"}, 422, "No change begins with"),
        ({"kind": "comment", "words": "y" * (9 << 20)}, 413, "exceeds"),
    ],
)
def test_what_cannot_be_recorded_is_answered_on_the_page(act, fields, status, why):
    answer = act(**fields)
    assert (answer.status_code, why in answer.text) == (status, True)


def test_hostile_words_are_recorded_harmless_and_shown_escaped(client, act, key, work):
    assert act(kind="comment", words=f"{hostile.ALL}\x1b]0;x\x07\x00\u202e").status_code == 303
    (said,) = load(work, key).holds.comments
    assert not set("\x1b\x00\u202e") & set(said.words)
    page = client("viewer").get(f"trajectories/{key}").text
    assert "<script>window.pwned" not in page
    assert "<img src=x" not in page


def test_a_trajectory_that_is_unknown_is_not_found(client):
    answer = client("user", Accept="text/html").post("trajectories/none/changes", data={"kind": "veto", "words": "x"})
    assert (answer.status_code, "No published trajectory begins" in answer.text) == (404, True)


def test_in_a_browser_a_user_comments_vetoes_and_edits_without_a_script_running(browse, address, key, work):
    page = browse("user", java_script_enabled=False)
    page.goto(f"{address}trajectories/{key}")
    page.locator("#people summary", has_text="veto").click()
    page.get_by_label("Why").fill("not <i>good</i>")
    page.get_by_role("button", name="Veto").click()
    assert page.url.endswith(f"trajectories/{key}#people")
    assert page.locator("#people").get_by_text("not <i>good</i>").count() == 1
    page.get_by_role("link", name="edit", exact=True).click()
    page.get_by_label("Text of message 1", exact=True).fill("Edited in a browser.")
    page.get_by_role("button", name="Save edit").click()
    assert page.url.endswith("#people")
    assert load(work, key).shown.messages[1].content == "Edited in a browser."
    assert not page.faults


def test_the_list_of_a_text_shows_changes_of_its_earlier_conversations(work, key, client):
    made = veto(work, key, "of an earlier one", By("Anna", "terminal"))
    with work.ledger() as ledger:
        ledger.pg.execute("UPDATE item_changes SET base = 'other' WHERE change_id = %s", [made.change_id])
    page = client("user").get(f"trajectories/{key}").text
    assert "Made on an earlier conversation of this text" in page
    assert "Carry over" in page
    assert ">vetoed</span>" not in page
    answer = client("user").post(
        f"trajectories/{key}/changes", data={"kind": "carry", "change": made.change_id}, follow_redirects=False
    )
    assert answer.status_code == 303
    assert load(work, key).holds.veto.words == "of an earlier one"
