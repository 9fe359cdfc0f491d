"""What the stages ask, and what they read from answers: whole, cut off, wrapped, and with one thing wrong."""

import json
from collections.abc import Iterator

from gem_tasks.domain.judgement import RULES
from gem_tasks.domain.outcome import Accepted, Malformed, Rejected
from gem_tasks.domain.record import Record
from gem_tasks.domain.synthesis import Route
from gem_tasks.domain.trajectory import Draft
from gem_tasks.plans import draw, shipped
from gem_tasks.prompts import Prompt
from gem_tasks.prompts.dialogue import render_tools, render_trajectory
from gem_tasks.stages.base import Stage, repair
from tests import library_tasks, library_world
from tests.factories import TOOLS, make_draft, make_record, make_segment, make_trajectory
from tests.realistic import FILES, load

PROMPT = Prompt(name="pinned", text="Instructions that stay as they are.")
TOPIC = """<multi_step>True</multi_step><summary>A reader renews a loan.</summary><platform>operator</platform>
<domain>jobs_and_education, books_and_literature,, jobs_and_education</domain><task>customer_support</task>"""
WORKFLOW = f"""<workflow><description>Renewing a loan.</description><steps>
1. Find it.
2. Renew it.
</steps><execution_graph>(get_loan)->(renew_loan)</execution_graph>
<actions>[{{"name": "get_loan", "arguments": {{"loan_id": "L-7"}}}}]</actions>
<tools>{render_tools(TOOLS)}</tools>
<requires>[{{"tool": "renew_loan", "after": "get_loan"}}]</requires></workflow>"""
TURNS = render_trajectory(make_trajectory().messages)
TOOLSETS = f"<toolsets>{render_tools(TOOLS)}</toolsets>\n"
RULINGS = [{"rule": rule, "pass": 1, "quote": "", "reason": "as the text says"} for rule in RULES]
WHOLE = {
    "filter": [TOPIC, "<multi_step>False</multi_step><reason>not_procedural</reason>"],
    "extract": [WORKFLOW, f"{WORKFLOW}\n{WORKFLOW}", "<workflow></workflow>"],
    "generate": [TURNS],
    "refine": [TOOLSETS + TURNS],
    "validate": [
        json.dumps({"rules": RULINGS, "findings": []}),
        json.dumps(
            {"rules": [{**RULINGS[0], "pass": 0, "quote": "Renewed once so far."}, *RULINGS[1:]], "findings": []}
        ),
        json.dumps({"rules": RULINGS[1:], "findings": []}),
        json.dumps({"rules": RULINGS, "findings": [{"number": 1, "fault": 1, "quote": "L-7", "reason": "invented"}]}),
    ],
}
SLIPS = (
    ("renew_loan", "burn_loan"),
    ("L-7", "L-8"),
    ("operator", "counter"),
    (">", ">>"),
    ("system", "developer"),
    ("{", "{,"),
)
WHOLE["revise"], WHOLE["revalidate"] = WHOLE["refine"], WHOLE["validate"]
WHOLE["world"] = [library_world.answer()]
WHOLE["task"] = [library_tasks.ANSWER]
WHOLE["synthesize"] = WHOLE["refine"]
ROUTE = {"route": Route(way="both", group="books_and_literature")}
CUTS = 8


def outputs(stage: Stage) -> dict[str, object]:
    """Requests, verdicts without a model, and verdicts on answers."""
    found: dict[str, object] = {}
    for name, plain in _records():
        record = plain.with_output("world", library_tasks.BUILT).model_copy(update=ROUTE)
        asked = stage.request(record, PROMPT)
        found[f"request: {name}"] = [message.to_openai() for message in asked]
        verdict = stage.precheck(record)
        found[f"precheck: {name}"] = verdict and _dump(verdict)
    found["repair"] = [
        message.to_openai()
        for message in repair(Prompt(name="repair", text="Again: {complaint}"), asked, "{not} this", "a {complaint}")
    ]
    for name, answer in _answers(stage.name):
        verdict = stage.parse(answer, library_tasks.record().model_copy(update=ROUTE))
        found[f"parse: {name}"] = [type(verdict).__name__, _dump(verdict)]
        if stage.name in ("world", "task") and isinstance(verdict, Accepted):
            found[f"parse: {name}"] = ["Accepted", _own(stage, verdict)]
    return found


def _own(stage: Stage, verdict: Accepted) -> object:
    """What the answer says, without defaults: the values of worlds get new fields, which old results lack."""
    return stage.output.model_validate_json(verdict.payload).model_dump(mode="json", exclude_defaults=True)


def _dump(verdict: Accepted | Rejected | Malformed) -> object:
    """Without what older pins do not know: a payload where there is none, and a count of what the payload shows."""
    found = verdict.model_dump(mode="json")
    if "measures" in found:
        found["measures"].pop("workflows", None)
    return {key: value for key, value in found.items() if key != "payload" or value is not None}


def _records() -> Iterator[tuple[str, Record]]:
    plain = make_record()
    yield "plain", plain
    yield (
        "title and fences",
        make_record().model_copy(
            update={
                "segment": make_segment("~~~~\nA fence.\n~~~~~\n# And a heading").model_copy(update={"title": "Loans"})
            }
        ),
    )
    yield (
        "near duplicate",
        plain.model_copy(update={"segment": plain.segment.model_copy(update={"near_duplicate_of": "another"})}),
    )
    plan = draw(shipped(), plain.segment.segment_id, 0, 0, "a recipe")
    yield "planned", make_record(generate=make_draft(plan)).model_copy(update={"plan": plan})
    for path in FILES:
        trajectory, evidence = load(path)
        draft = Draft(tools=trajectory.tools, messages=trajectory.messages)
        given = {"extract": evidence.extraction, "generate": draft, "refine": trajectory}
        yield path.stem, make_record(**given).model_copy(update={"segment": make_segment(evidence.text)})


def _answers(stage: str) -> Iterator[tuple[str, str]]:
    for number, whole in enumerate(WHOLE[stage]):
        yield f"{number}", whole
        yield f"{number} after thinking", f"<think>Well: {whole[:40]}</think>\n{whole}"
        yield f"{number} in a fence", f"Here it is:\n```\n{whole}\n```\nDone."
        yield f"{number} with other line ends", whole.replace("\n", "\r\n")
        for cut in range(1, CUTS):
            yield f"{number} cut at {cut} of {CUTS}", whole[: len(whole) * cut // CUTS]
        for old, new in SLIPS:
            if old in whole:
                yield f"{number} with {new} for {old}", whole.replace(old, new, 1)
