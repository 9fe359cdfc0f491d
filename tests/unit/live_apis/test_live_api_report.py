"""The report for somebody who decides whether to trust the data."""

from gem_tasks.live_apis.operation import Api, Operation
from gem_tasks.live_apis.record import recorded
from gem_tasks.live_apis.report import markdown, said, verdict
from gem_tasks.live_apis.run import ground
from gem_tasks.live_apis.sample import Sampled
from tests.factories import call, make_tool, make_trajectory, result, say

TEXT, NUMBER = {"type": "string"}, {"type": "number"}
API = Api(
    title="Shop | <b>API</b>",
    operations=(
        Operation(
            name="create_order",
            parameters={"properties": {"item": TEXT, "currency": TEXT}, "required": ["item", "currency"]},
        ),
    ),
    unusable={"POST /x": "its `schema`"},
)  # fmt: skip


def talk(*others):
    tools = (make_tool("create_order", item=TEXT), *(make_tool(name, x=NUMBER) for name in others))
    steps = (say("user", "?"), call(1, "create_order", item="tea"), result(1), say("assistant", "."))
    return Sampled("t", make_trajectory(*steps, tools=tools), "s1", "file:///a|b.md")


async def test_the_first_paragraph_says_what_was_found_and_how_much_it_counts():
    report = await ground([talk()], API)
    said_first = verdict(report)
    assert said_first.startswith("1 of 1 tools have a counterpart among the 1 operations of Shop")
    assert "Of 1 calls to them, 0 (0%; 95 %: 0% to 79%) fit" in said_first
    assert "this is an example, not a measurement" in said_first
    assert said_first.endswith("the operation needs an argument that the call does not give (1).")


async def test_an_api_of_another_field_says_nothing_about_the_data():
    other = Api(title="Stars", operations=(Operation(name="list_stars", parameters={"type": "object"}),))
    assert "this API says nothing about these conversations" in verdict(await ground([talk()], other))


async def test_the_table_has_a_line_for_each_text_and_no_markup_of_others():
    text = markdown(await ground([talk()], API))
    assert "# Shop \\| \\<b\\>API\\</b\\> and 1 conversations" in text
    assert "| s1 file:///a\\|b.md | 1 | 1 | 1 | 1 | 0 | 0 | 0 | missing\\_argument (1) |" in text
    assert "| create\\_order | needs | create\\_order needs \\`currency\\` | 1 | 1 |" in text
    assert "- POST /x: its \\`schema\\`" in text


async def test_findings_of_a_text_about_something_else_are_not_recorded():
    about, other = await ground([talk("a_b")], API), await ground([talk("a_b", "c_d", "e_f", "g_h")], API)
    assert [(each.kind, each.parameter, each.calls) for each in recorded(about)] == [("needs", "currency", 1)]
    assert other.findings and not recorded(other)
    by_hand = await ground([talk("a_b", "c_d", "e_f", "g_h")], API, fixed={"create_order": "create_order"})
    assert len(recorded(by_hand)) == 1
    assert "may be coincidences" not in verdict(about)


def test_a_cause_without_words_of_its_own_is_still_said():
    assert said("http_418") == "the API answered with status 418"


async def test_a_schema_that_is_true_says_nothing_and_stops_nothing():
    anything = {"type": "object", "properties": {"order_id": True, "tz": True}, "required": ["tz"]}
    api = Api(title="A", operations=(Operation(name="create_order", parameters=anything),))
    row = talk()
    tools = tuple(each.model_copy(update={"parameters": anything}) for each in row.trajectory.tools)
    odd = row._replace(trajectory=row.trajectory.model_copy(update={"tools": tools}))
    assert [each.kind for each in (await ground([row], api)).findings][:1] == ["needs"]
    assert (await ground([odd], api)).findings


async def test_findings_that_postgres_could_not_keep_are_kept_visibly():
    odd = API.model_copy(update={"title": "Sh\0p \ud800"})
    (finding,) = recorded(await ground([talk("a_b")], odd))
    assert finding.api == "Sh\\x00p \\ud800"


async def test_entities_of_html_in_a_title_stay_text():
    assert "Shop \\&rlm; \\~x" in markdown(await ground([talk()], API.model_copy(update={"title": "Shop &rlm; ~x"})))
