"""Argilla's and Label Studio's files: out, answered as the tools write them, and in; every odd row has a reason."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gem_tasks.audit.draw import draw
from gem_tasks.cli.main import app
from gem_tasks.domain.audit import Sample
from gem_tasks.edits.answers import read_answers
from gem_tasks.edits.importing import import_answers
from gem_tasks.edits.make import By, edit
from gem_tasks.edits.subject import load
from gem_tasks.edits.tools import FOR_TOOLS
from gem_tasks.errors import UserError
from tests.corpus import PARTITION

PACKAGES = os.environ.get("GEM_TEST_ANNOTATION", "")
"""The Python of an environment with both packages."""
SCORES = {"coherence": 4, "tools": 5, "faithfulness": 2}


def exported(work, name, folder):
    FOR_TOOLS[name](work, folder, PARTITION)
    file = folder / ("records.json" if name == "argilla" else "tasks.json")
    return json.loads(file.read_text(encoding="utf-8"))


def argilla(record, user="user-1", **values):
    """The record as `Dataset.records.to_json` writes it after a user has answered."""
    responses = {name: [{"value": value, "user_id": user}] for name, value in values.items()}
    return {**record, "status": "completed", "responses": responses, "_server_id": "f00"}


def flattened(record, status="submitted", **values):
    """The record as `to_list(flatten=True)` writes it."""
    row = {"id": record["id"], "status": "completed", **record["fields"], **record["metadata"]}
    for name, value in values.items():
        row |= {
            f"{name}.responses": [value],
            f"{name}.responses.users": ["user-2"],
            f"{name}.responses.status": [status],
        }
    return row


def label_studio(task, cancelled=False, **values):
    """The task as Label Studio's export named JSON writes it."""
    forms = {"verdict": "choices", **dict.fromkeys(SCORES, "rating")}
    result = [
        {"from_name": name, "to_name": "conversation", "type": forms.get(name, "textarea"),
         "value": {forms.get(name, "text"): value if name in SCORES else [value]}}
        for name, value in values.items()
    ]  # fmt: skip
    return {**task, "id": 7, "annotations": [{"completed_by": 3, "was_cancelled": cancelled, "result": result}]}


def imported(work, tmp_path, rows, **options):
    path = tmp_path / "answers.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return [(each.what, each.outcome, each.reason) for each in import_answers(work, read_answers(path), **options)]


def corrected(form):
    """The form with another last line, as an annotator would leave it."""
    head, _, _ = form.rpartition("content: ")
    return f"{head}content: Corrected by a reader.\n"


ANSWERED = {
    "argilla": (lambda row: row["suggestions"]["corrected"]["value"], argilla, "user-1"),
    "label-studio": (lambda row: row["predictions"][0]["result"][0]["value"]["text"][0], label_studio, "3"),
}


@pytest.mark.parametrize("name", ["argilla", "label-studio"])
def test_answers_become_an_edit_a_veto_a_comment_and_a_rating_once(finished, tmp_path, name):
    work = finished[0]
    form_of, answer, author = ANSWERED[name]
    first, second, *_ = exported(work, name, tmp_path / "out")
    audit = draw(work, Sample(size=1000))
    rows = [
        answer(first, verdict="keep", corrected=corrected(form_of(first)), reason="wrong end", **SCORES),
        answer(second, verdict="veto", reason="invented", comment="see message 3", corrected=form_of(second)),
    ]
    done = imported(work, tmp_path, rows, audit=audit)
    assert [each[:2] for each in done] == [
        ("edit", "recorded"), ("rating", "recorded"), ("edit", "unchanged"), ("veto", "recorded"),
        ("comment", "recorded"),
    ]  # fmt: skip
    ids = [(row.get("metadata") or row["data"])["trajectory_id"] for row in (first, second)]
    one, two = (load(work, key) for key in ids)
    assert one.shown.messages[-1].content == "Corrected by a reader."
    assert one.shown.messages[:-1] == one.accepted.messages[:-1]
    assert (one.holds.edit.author, one.holds.edit.origin, one.holds.edit.words) == (author, name, "wrong end")
    assert (two.holds.veto.words, two.holds.comments[0].words, two.holds.edit) == ("invented", "see message 3", None)
    with work.ledger() as ledger:
        (rating,) = ledger.audits.ratings(audit.audit_id)
    assert rating.model_dump(include=set(SCORES)) == SCORES
    again = imported(work, tmp_path, rows, audit=audit)
    assert {each[1] for each in again if each[0] != "rating"} == {"unchanged"}
    assert [len(load(work, key).changes) for key in ids] == [1, 2]


def test_every_row_that_cannot_be_imported_has_its_reason_and_stops_no_other(finished, tmp_path):
    work = finished[0]
    first, second, third, *_ = exported(work, "argilla", tmp_path / "out")
    form = first["suggestions"]["corrected"]["value"]
    other = load(work, third["id"]).shown.messages
    edit(work, third["id"], (*other[:-1], other[-1].model_copy(update={"content": "Mine."})), By("Anna", "terminal"))
    stale = {**first, "metadata": {**first["metadata"], "revision": "0" * 12}}
    rows = [
        "nonsense",
        {"id": "x"},
        argilla({**first, "id": "a1", "metadata": {}}, verdict="veto"),
        argilla({**first, "metadata": {**first["metadata"], "trajectory_id": first["id"][:10]}}, verdict="veto"),
        argilla(stale, user="u0", verdict="veto"),
        {**argilla(first, user="u1", verdict="veto"), "status": "pending"},
        argilla(first, user="u2", verdict="burn"),
        argilla(first, user="u3", verdict="keep", coherence=9),
        argilla(first, user="u4", corrected="- role: user\n  content: [1]\n"),
        argilla(first, user="u5", corrected=form.replace("role: system", "role: user", 1)),
        argilla(first, user="u6", comment="good\ud800\x1b[2J"),
        argilla(first, user="u6", comment="good, twice"),
        argilla(first, user="", verdict="veto"),
        argilla(first, user="u7", verdict="keep", **SCORES),
        argilla(third, user="u8", corrected=corrected(third["suggestions"]["corrected"]["value"])),
        argilla(second, user="u9"),
        flattened(second, "draft", verdict="veto"),
        flattened(second, "discarded", verdict="keep"),
    ]
    assert imported(work, tmp_path, rows) == [
        ("row", "refused", "it is not an object"),
        ("row", "refused", "it has no answer"),
        ("row", "refused", "No published trajectory begins with 'a1'. `gem run` and `gem lineage` print ids of"
         " trajectories."),
        ("row", "refused", "there is no trajectory with this id"),
        ("row", "refused", "it is about an earlier version of the conversation; export it again"),
        ("row", "refused", "the answer is a draft that was not submitted"),
        ("row", "refused", "'burn' is not a verdict; expected keep or veto"),
        ("row", "refused", "coherence is not a score from 1 to 5"),
        ("edit", "refused", "message 0: the content is not text. Put it in quotes."),
        ("edit", "refused", "The checks find errors in the edit: message 0, structure: user may not follow start (and 1"
         " more). Correct them, or keep the edit and say why."),
        ("comment", "recorded", ""),
        ("row", "refused", "it is a duplicate of an earlier row"),
        ("row", "refused", "it names no annotator; give --author"),
        ("rating", "refused", "ratings belong to an audit; give --audit"),
        ("edit", "refused", f"Anna edited it after you opened trajectory {third['id']}. Look at the new version, and"
         " edit that."),
        ("row", "refused", "it has no answer"),
        ("row", "refused", "the answer is a draft that was not submitted"),
        ("veto", "recorded", ""),
    ]  # fmt: skip
    assert [each.words for each in load(work, first["id"]).holds.comments] == ["good"]
    assert load(work, second["id"]).holds.veto.words == "discarded in Argilla"


@pytest.mark.parametrize("text", ["{}", "[", "\x00", '"[]"', "[" * 100_000])
def test_a_file_that_holds_no_answers_is_refused(tmp_path, text):
    path = tmp_path / "answers.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"answers\.json (is not a list|cannot be read)"):
        list(read_answers(path))


@pytest.fixture
def gem(finished, monkeypatch):
    """Runs a command on the finished workspace."""
    work = finished[0]
    values = {"GEM_POSTGRES_DSN": work.settings.database, "GEM_STORE_URL": work.settings.store_url or "",
              "GEM_HOME": str(work.settings.home), "USER": "carla", "LOGNAME": "carla"}  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(name, value)

    def run(*words, code=0, **options):
        done = CliRunner().invoke(app, list(words), **options)
        if isinstance(done.exception, UserError):
            assert code == 2, done.exception
            return str(done.exception)
        assert done.exit_code == code, (done.output, done.exception)
        return done.output

    return run


def test_in_a_terminal_a_trajectory_is_vetoed_edited_commented_on_and_published(finished, gem, tmp_path, monkeypatch):
    work = finished[0]
    one, two = (row["id"] for row in exported(work, "argilla", tmp_path / "out")[:2])
    assert json.loads(gem("veto", one[:8], "--why", "wrong", "--json"))["author"] == "carla"
    assert "carla vetoed it already" in gem("veto", one, "--why", "again", "--author", "dora", code=2)
    assert "Commented on trajectory" in gem("comment", two, "why\x1b[31m this?", "--message", "2")
    script = tmp_path / "editor.py"
    script.write_text(
        "import sys, pathlib; p = pathlib.Path(sys.argv[1]);"
        "p.write_text(p.read_text().rpartition('content: ')[0] + 'content: From an editor.\\n')"
    )
    monkeypatch.setenv("VISUAL", f"python3 {script}")
    shown = gem("edit", two, "--why", "tone")
    assert "+  content: From an editor." in shown
    assert load(work, two).shown.messages[-1].content == "From an editor."
    file = tmp_path / "talk.yaml"
    file.write_text(gem("edit", two, "--print").replace("role: system", "role: user", 1), encoding="utf-8")
    assert "2 errors in the edit" in gem("edit", two, "--file", str(file), code=2)
    assert "Kept" not in gem("edit", two, "--file", str(file), "--keep-anyway", "meant")
    assert "after you opened" in gem("edit", two, "--file", str(file), "--revision", "0" * 12, code=2)
    listed = json.loads(gem("changes", "list", two, "--json"))
    assert [each["kind"] for each in listed] == ["edit", "edit", "comment"]
    assert (listed[0]["kept"], listed[0]["findings"]) == ("meant", ["structure: role_order", "structure: role_order"])
    gem("changes", "undo", listed[0]["change_id"][:6])
    warned = gem("export", "--out", str(tmp_path / "data"), "--json")
    assert "1 trajectories are here as they were before their last edit" in warned
    assert "1 edited" in gem("changes", "publish")
    assert "No partition has changed" in gem("changes", "publish")
    assert "edit by carla (published): tone" in gem("show", two)
    assert "trajectories are here as" not in gem("export", "--out", str(tmp_path / "data"), "--json")
    assert "published" in gem("changes", "list")


def test_what_was_written_in_an_editor_is_not_lost(finished, gem, tmp_path, monkeypatch):
    work = finished[0]
    key = exported(work, "argilla", tmp_path / "out")[0]["id"]
    script = tmp_path / "editor.py"
    script.write_text(
        "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text('- role: nobody\\n  content: an hour')"
    )
    monkeypatch.setenv("VISUAL", f"python3 {script}")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    said = gem("edit", key, code=2)
    path = said.rpartition("Your text is in ")[2].partition(": correct it")[0]
    assert "an hour" in Path(path).read_text(encoding="utf-8")
    monkeypatch.setenv("VISUAL", "true")
    assert "You changed nothing" in gem("edit", key, code=2)
    monkeypatch.setenv("VISUAL", "no-such-editor")
    assert "cannot be started" in gem("edit", key, code=2)


def test_import_says_what_became_of_the_rows_and_ends_with_1_if_one_is_refused(finished, gem, tmp_path):
    work = finished[0]
    first, second = exported(work, "label-studio", tmp_path / "out")[:2]
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([label_studio(first, comment="fine"), label_studio(second, cancelled=True)]))
    said = gem("changes", "import", str(path), code=1)
    assert "the annotator skipped it" in said
    assert "1 comment recorded, 1 row refused" in said
    path.write_text(json.dumps([label_studio(first, comment="fine")]))
    assert json.loads(gem("changes", "import", str(path), "--json"))["counts"] == {"comment unchanged": 1}
    assert "cannot be read" in gem("changes", "import", str(tmp_path / "none.json"), code=2)


@pytest.mark.skipif(not PACKAGES, reason="needs argilla and label-studio-sdk")
def test_the_packages_themselves_read_the_files_and_write_answers_that_can_be_imported(finished, tmp_path):
    work, _, published = finished
    for name in FOR_TOOLS:
        exported(work, name, tmp_path / name)
    script = Path(__file__).parent / "annotation_packages.py"
    done = subprocess.run([PACKAGES, str(script), str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [published.trajectories] * 2
    rows = [
        (each.what, each.outcome)
        for name in FOR_TOOLS
        for each in import_answers(work, read_answers(tmp_path / name / "answers.json"))
    ]
    assert [each for each in rows if each != ("row", "refused")] == [
        ("edit", "recorded"), ("comment", "recorded"), ("veto", "recorded"), ("rating", "refused"),
    ]  # fmt: skip
    assert len(rows) == 4 + published.trajectories - 1
