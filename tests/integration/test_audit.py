"""Audits on a real Postgres and a real store: fair and repeatable samples, ratings, the name `audited`."""

import json
from collections import Counter

import psycopg
import pytest
from typer.testing import CliRunner

from gem_tasks.audit.draw import draw, find
from gem_tasks.audit.rate import rate, so_far, unrated
from gem_tasks.audit.shown import one, shown
from gem_tasks.cli import audit as commands
from gem_tasks.domain.audit import Rating, Sample
from gem_tasks.domain.corpus import Document, Segment, content_hash, segment_id
from gem_tasks.domain.stage_settings import StageSettings
from gem_tasks.errors import UserError
from gem_tasks.lineage import Ledger, TrajectoryRow

PARTITION = "2026-01-31T14:00"
DOMAINS = ["health"] * 60 + ["travel"] * 30 + ["law"] * 10


def publish(work, domains, partition=PARTITION, version="v1", source="file:///corpus"):
    """A version with a trajectory per entry, each of a document of its own; rows only, no objects."""
    validate = work.chain.by_stage["validate"]
    with work.ledger() as ledger:
        ledger.stages.record_recipes(work.chain.prompt_texts(), work.chain.recipes)
        documents, segments, rows = [], [], []
        for number, domain in enumerate(domains):
            name = f"{version}d{number}"
            uri = f"{source}/{name}"
            documents.append(Document(document_id=name, uri=uri, etag="1", content_hash=content_hash(name), chars=9))
            key = segment_id(name, 0, 9)
            segments.append(
                Segment(segment_id=key, document_id=name, document_uri=uri, start=0, end=9, tokens=2, text="nine char")
            )
            rows.append(
                TrajectoryRow(
                    trajectory_id=f"{version}t{number:04}", segment_id=key, recipe_id=validate.recipe_id,
                    messages=9, tools=3, calls=3, domains=(domain, "other"), platform="operator",
                    task_category="customer_support",
                )
            )  # fmt: skip
        ledger.ingestion.commit_ingest(partition, ledger.sources.register_source(source), documents, {0: segments})
        ledger.datasets.commit(version, partition, validate, {}, rows)


def items_of(work, audit):
    with work.ledger() as ledger:
        return ledger.audits.items(audit.audit_id)


def everything(work, audit, score, rater="anna"):
    return [
        Rating(item_id=item.item_id, rater=rater, coherence=score, tools=score, faithfulness=score)
        for item in items_of(work, audit)
    ]


def audited(work):
    with psycopg.connect(work.settings.database) as connection:
        return dict(connection.execute("SELECT version, audited_by FROM datasets").fetchall())


def test_every_stratum_has_its_share_whatever_the_seed(workspace):
    work = workspace()
    publish(work, DOMAINS)
    for seed in range(20):
        drawn = draw(work, Sample(size=10, seed=seed))
        domains = Counter(item.stratum.split()[-1] for item in items_of(work, drawn))
        assert domains == {"health": 6, "travel": 3, "law": 1}, seed
        assert (drawn.items, drawn.population, drawn.versions) == (10, 100, ("v1",))


def test_all_items_are_drawn_equally_often_and_single_strata_are_not_forgotten(workspace):
    work = workspace()
    publish(work, [f"domain{number}" for number in range(40)])
    drawn = Counter(
        item.item_id for seed in range(200) for item in items_of(work, draw(work, Sample(size=10, seed=seed)))
    )
    assert len(drawn) == 40
    # 200 draws of a quarter: 50 on average with a standard deviation of about 6.
    assert all(25 <= count <= 75 for count in drawn.values()), drawn


def test_the_same_seed_draws_the_same_audit_and_another_one_does_not(workspace):
    work = workspace()
    publish(work, DOMAINS)
    first, again, other = (draw(work, Sample(size=20, seed=seed)) for seed in (7, 7, 8))
    assert first == again
    assert other.audit_id != first.audit_id
    assert [item.position for item in items_of(work, first)] == list(range(1, 21))


def test_a_sample_is_never_larger_than_what_there_is_nor_holds_anything_twice(workspace):
    work = workspace()
    publish(work, DOMAINS)
    for size in (1, 2, 33, 99, 100, 101, 1000):
        drawn = items_of(work, draw(work, Sample(size=size, seed=size)))
        assert len({item.item_id for item in drawn}) == len(drawn) == min(size, 100)


def test_only_the_current_versions_of_the_partitions_that_were_asked_for(workspace):
    work = workspace()
    publish(work, DOMAINS[:5])
    publish(work, DOMAINS[:5], version="v2")
    publish(work, DOMAINS[:5], "2026-01-31T15:00", "later")
    assert draw(work, Sample()).versions == ("later", "v2")
    assert draw(work, Sample(first="2026-01-31T15:00")).versions == ("later",)
    assert draw(work, Sample(last=PARTITION)).versions == ("v2",)
    assert draw(work, Sample(version="later")).versions == ("later",)
    for nothing in (Sample(version="v1"), Sample(first="2027"), Sample(version="'; DROP TABLE audits; --")):
        with pytest.raises(UserError, match="no trajectories to draw from"):
            draw(work, nothing)


def test_a_version_is_audited_while_the_last_concluded_audit_says_so(workspace):
    work = workspace()
    publish(work, DOMAINS)
    drawn = draw(work, Sample(size=40))
    good = everything(work, drawn, 5)
    assert rate(work, drawn, good[:30]).passed is None
    assert audited(work) == {"v1": None}
    assert rate(work, drawn, good).passed is True
    assert audited(work) == {"v1": drawn.audit_id}
    publish(work, DOMAINS)
    assert audited(work) == {"v1": drawn.audit_id}, "the same content published again is as good as before"

    second = draw(work, Sample(size=40, seed=1))
    rate(work, second, everything(work, second, 2)[:10])
    assert audited(work) == {"v1": drawn.audit_id}, "undecided"
    rate(work, second, everything(work, second, 2))
    assert audited(work) == {"v1": None}


def test_who_rates_again_corrects_and_can_take_the_name_away(workspace):
    work = workspace()
    publish(work, DOMAINS[:10])
    drawn = draw(work, Sample())
    rate(work, drawn, everything(work, drawn, 5))
    assert audited(work) == {"v1": drawn.audit_id}
    found = rate(work, drawn, everything(work, drawn, 1))
    assert (found.raters, found.passed, audited(work)) == ({"anna": 10}, False, {"v1": None})


def test_ratings_of_what_was_not_drawn_and_double_ones_are_refused_with_all_others(workspace):
    work = workspace()
    publish(work, DOMAINS[:10])
    drawn = draw(work, Sample())
    good = everything(work, drawn, 5)
    stranger = good[0].model_copy(update={"item_id": "stranger"})
    for bad in ([*good, stranger], [*good, good[0]]):
        with pytest.raises(UserError, match=r"not drawn|twice"):
            rate(work, drawn, bad)
    assert so_far(work, drawn).rated == 0


def test_a_rater_goes_on_where_he_stopped(workspace):
    work = workspace()
    publish(work, DOMAINS[:10])
    drawn = draw(work, Sample())
    rate(work, drawn, everything(work, drawn, 5)[:4])
    assert [item.position for item in unrated(work, drawn, "anna")] == [5, 6, 7, 8, 9, 10]
    assert len(unrated(work, drawn, "ben")) == 10


def test_raters_see_text_tools_and_conversation_even_after_prompts_have_changed(finished, workspace):
    work, _, published = finished
    later = workspace(llm_stages={"extract": StageSettings(model="another-model")})
    trajectories = draw(work, Sample(size=1000))
    assert trajectories.population == published.trajectories
    for found in shown(later, items_of(work, trajectories)):
        sections = dict(found.sections)
        assert all(sections[heading] for heading in ("Text", "Tools", "Conversation"))
    segments = draw(work, Sample(what="segments", size=5))
    assert segments.versions == ()
    for item in items_of(work, segments):
        headings = [heading for heading, _ in one(later, item).sections]
        assert headings[:3] == ["Text", "Workflow 1", "Tools of workflow 1"]
    with pytest.raises(UserError, match="no segments to draw from"):
        draw(later, Sample(what="segments"))


@pytest.fixture
def gem(workspace, monkeypatch):
    work = workspace()
    monkeypatch.setattr(commands, "load", lambda: work.settings)

    def run(*arguments, typed=None):
        result = CliRunner().invoke(commands.audit, arguments, input=typed)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.stdout

    return run


def test_an_audit_in_the_terminal_is_resumed_and_reported(finished, gem, tmp_path):
    work, _, published = finished
    drawn = json.loads(gem("draw", "--json"))
    number = published.trajectories
    assert "Continue with" in gem("rate", "--rater", "anna", typed="5\n9\n4\n4\nfine\nq\n")
    assert json.loads(gem("report", "--json"))["rated"] == 1
    assert "That was the last" in gem("rate", "--rater", "anna", typed="5\n5\n5\n\n" * (number - 1))
    assert "You have rated every item" in gem("rate", "--rater", " anna ")
    with pytest.raises(UserError, match="1 to 100 characters"):
        gem("rate", "--rater", " ")
    rows = [json.loads(line) for line in gem("items").splitlines()]
    table = "item_id,coherence,tools,faithfulness\n" + "".join(f"{row['item_id']},5,1,5\n" for row in rows)
    (tmp_path / "ben.csv").write_text(table)
    found = json.loads(gem("import", str(tmp_path / "ben.csv"), "--rater", "ben", "--json"))
    assert found["raters"] == {"anna": number, "ben": number}
    assert (found["passed"], found["qualities"]["tools"]["good"]) == (True, 0)
    assert audited(work)[published.version] == drawn["audit_id"]
    assert "is audited" in gem("report")
    assert find(work, drawn["audit_id"][:5]).audit_id == drawn["audit_id"]


def test_questions_about_audits_that_are_not_there_are_one_line(workspace):
    work = workspace()
    with pytest.raises(UserError, match="gem audit draw"):
        find(work, None)
    with pytest.raises(UserError, match="No audit begins with"):
        find(work, "%")
    with Ledger(work.settings.database) as ledger:
        assert ledger.audits.find() == []
