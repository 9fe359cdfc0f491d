"""Batches to a model with manners: what the lines of one batch complain of, the next does not hold."""

import json

import pytest

from gem_tasks.domain.request_options import RequestOptions
from gem_tasks.errors import UserError
from gem_tasks.llm.dialects.memory import remembered
from gem_tasks.pipeline.batch.run import run_stage
from gem_tasks.pipeline.ingest.source import ingest
from tests.corpus import EXAMPLES, PARTITION
from tests.integration.batches import RUN, rows
from tests.integration.endpoint import Front
from tests.planning import plan

LIMIT = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
WARMTH = "'temperature' does not support 0.3 with this model. Only the default (1) value is supported."
EFFORT = "'reasoning_effort' does not support 'medium' with this model. Supported values are: 'high'."


def openai_o(body):
    """The complaint about a request as an o-series model has it; None when there is nothing to complain of."""
    if "max_tokens" in body:
        return {"message": LIMIT, "param": "max_tokens", "code": "unsupported_parameter"}
    if body.get("temperature", 1) != 1:
        return {"message": WARMTH, "param": "temperature", "code": "unsupported_value"}
    return None


def never_content(body):
    """A new complaint every time: the field goes by another name whichever is sent."""
    return {"message": f"{'max_tokens' if 'max_tokens' in body else 'max_completion_tokens'} is not supported."}


class Batches(Front):
    """The teacher's Batch API, where each line is first looked at by `manner(body)`."""

    def __init__(self, teacher_url, manner, thought=0):
        super().__init__(teacher_url)
        self.manner, self.thought, self.sent = manner, thought, []

    async def _forward(self, request):
        data = await request.read()
        if request.method == "POST" and request.path.endswith("/files"):
            self.sent.append([json.loads(line) for line in data.split(b"\r\n") if line.startswith(b'{"custom_id"')
                              for line in line.splitlines()])  # fmt: skip
        return await super()._forward(request)

    def answers(self, data):
        """The file of answers, with complaints in place of those to requests that are complained of."""
        asked = {line["custom_id"]: line["body"] for line in self.sent[-1]}
        lines = [json.loads(line) for line in data.splitlines()]
        return b"".join(json.dumps(self._line(line, asked[line["custom_id"]])).encode() + b"\n" for line in lines)

    def _line(self, line, body):
        if complaint := self.manner(body):
            return line | {"response": {"status_code": 400, "body": {"error": complaint}}}
        answer = line["response"]["body"]
        if self.thought:
            limit = body.get("max_tokens") or body["max_completion_tokens"]
            answer["usage"]["completion_tokens"] += min(self.thought, limit)
            answer["usage"]["completion_tokens_details"] = {"reasoning_tokens": min(self.thought, limit)}
            if limit <= self.thought:
                answer["choices"][0] |= {"finish_reason": "length", "message": {"role": "assistant", "content": ""}}
        return line


@pytest.fixture
def run(workspace, teacher):
    """Runs filter and extract in batch mode against a manner; gives the endpoint, the workspace and the reports."""

    def go(manner, thought=0, **settings):
        teacher.start()
        with Batches(teacher.url, manner, thought) as endpoint:
            endpoint.rewrite = endpoint.answers
            work = workspace(
                llm_base_url=endpoint.url, llm_mode="batch", llm_batch_poll_s=0.1, shard_segments=100, **settings
            )
            endpoint.work = work
            ingest(work, str(EXAMPLES), PARTITION)
            plan(work, PARTITION)
            return endpoint, [run_stage(work, name, PARTITION, 0, RUN) for name in ("filter", "extract")]

    return go


def fields(batch):
    return {name for line in batch for name in line["body"]} - {"model", "messages"}


def test_complaints_teach_and_the_next_stage_knows_it_beforehand(run):
    endpoint, reports = run(openai_o)
    assert [report.failed for report in reports] == [0, 0]
    first, second, third, *extract = endpoint.sent
    assert (fields(first), fields(second), fields(third)) == (
        {"max_tokens", "temperature"}, {"max_completion_tokens", "temperature"}, {"max_completion_tokens"}
    )  # fmt: skip
    assert len(first) == len(second) == len(third)
    assert all("max_tokens" not in fields(batch) for batch in extract)
    taught = {row["segment_id"]: row["faults"].get("bad_request", 0) for row in rows(endpoint.work)}
    assert set(taught.values()) <= {0, 1, 2}
    (known,) = remembered(endpoint.work.store)
    assert known.model.endswith(" (batch)")
    assert (known.dialect.limit, known.dialect.dropped) == ("max_completion_tokens", ("temperature",))


def test_what_calls_have_learned_is_spoken_in_batches(run, workspace):
    dialects = workspace().settings.home / "dialects.toml"
    dialects.write_text('[[preset]]\nlimit = "max_completion_tokens"\ndropped = ["temperature"]\n', encoding="utf-8")
    endpoint, reports = run(openai_o, llm_dialects=dialects)
    assert [report.failed for report in reports] == [0, 0]
    assert {frozenset(fields(batch)) for batch in endpoint.sent} == {frozenset({"max_completion_tokens"})}


def test_a_complaint_that_nothing_helps_against_stops_the_stage_after_a_few_batches_and_fails_no_text(run):
    with pytest.raises(UserError, match="is not supported"):
        run(never_content)


def test_what_a_person_set_is_never_left_out_in_a_batch(run):
    with pytest.raises(UserError, match=r"GEM_LLM_TEMPERATURE"):
        run(openai_o, llm_requests={"": RequestOptions(temperature=0.3)})


def test_thinking_gets_room_from_the_batch_on_that_shows_that_it_needs_it(run):
    endpoint, reports = run(lambda body: None, thought=1500)
    assert [report.failed for report in reports] == [0, 0]
    (limit,) = {line["body"]["max_tokens"] for line in endpoint.sent[1]}
    assert limit >= 4096
