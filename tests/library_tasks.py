"""Tasks in the small world of `tests.library_world`, as a model would write them."""

import json

from gem_tasks.domain.record import Record
from gem_tasks.worlds.built import Built
from gem_tasks.worlds.world import IdFormat, Tool, World
from tests.factories import TOOLS, make_record
from tests.library_world import CODE, IDS, STATE

READER = "ada@example.org"
LIBRARY = STATE | {"readers": {READER: {"name": "Ada", "since": "2019-04-30"}}}
BUILT = Built(
    world=World(
        state=LIBRARY,
        code=CODE,
        tools=tuple(Tool(name=tool.name, parameters=tool.parameters, reads=tool.name == "get_loan") for tool in TOOLS),
        ids={prefix: IdFormat.model_validate(each) for prefix, each in IDS.items()},
    )
)
LOOK = {"call": {"name": "get_loan", "arguments": {"loan_id": "L-7"}}}
RENEW = {"call": {"name": "renew_loan", "arguments": {"loan_id": "$1.loan.id", "weeks": 2}}}
VARIANTS = [
    {"name": "plain", "reference": [{"turn": "hello"}, LOOK, {"deed": "signs"}, {"turn": "yes"}, RENEW]},
    {
        "name": "used up", "ending": "impossible", "faults": [{"tool": "get_loan", "kind": "unavailable"}],
        "events": {"late": {"trigger": {"tool": "get_loan"}, "code": "state.loans['L-7'].renewals = 2;"}},
        "reference": [{"turn": "hello"}, LOOK, LOOK],
    },
]  # fmt: skip
ANSWER = f"""<task><title>Renew a loan</title><system>You renew loans.</system>
<persona>Ada, ada@example.org, reader since 2019-04-30, has loan L-7.</persona>
<wishes>[{{"text": "Wants the loan renewed for two weeks", "reveal": "first"}}]</wishes><knows>["The title"]</knows>
<deeds>{{"signs": {{"words": "I signed", "code": "state.readers['{READER}'].signed = true;"}}}}</deeds>
<outcome>{{"tables": ["loans"], "volatile": ["due"]}}</outcome>
<conditions>[{{"kind": "after", "tool": "renew_loan", "other": "get_loan"}}]</conditions>
<variants>{json.dumps(VARIANTS)}</variants></task>"""


def record() -> Record:
    """A record that has been through the stage `world`."""
    return make_record().with_output("world", BUILT)
