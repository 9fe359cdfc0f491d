"""Every fault on demand, over HTTP: seeded, told apart, and gone when nobody asks for it."""

import asyncio
import json
import re
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from gem_tasks import prompts
from gem_tasks.prompts.dialogue import parse_trajectory
from offline_teacher.answers import answer
from offline_teacher.server import faults, spoil
from offline_teacher.server.app import make_app
from offline_teacher.server.faults import HEADER, OPTIONS, Faults
from offline_teacher.server.protocol import MODEL, Refused
from offline_teacher.server.workers import Workers
from teacher_cases import TEXT, TOOLS, sections, ungrounded

URL = "http://teacher/v1/chat/completions"
DOCS = Path(__file__).parents[2] / "docs" / "offline-teacher.md"


@pytest.fixture
async def ask(tmp_path):
    """Asks the teacher over a unix socket: `(status, body, headers)`."""
    cleanups = []

    async def start(standing="", task="filter", **options):
        app = make_app(
            Workers(lambda: ThreadPoolExecutor(2), answer), tmp_path / "state", standing=faults.standing(standing)
        )
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        path = str(tmp_path / f"{len(cleanups)}.sock")
        await web.UnixSite(runner, path).start()
        client = aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=path))
        cleanups.extend((client.close, runner.cleanup))
        header = "&".join(f"{name}={value}" for name, value in options.items())
        async with client.post(URL, json=question(task), headers={HEADER: header}) as response:
            return response.status, await response.text(), response.headers

    yield start
    for cleanup in cleanups:
        await cleanup()


def question(task):
    values = sections() if task == "generate" else {"text": TEXT}
    messages = [message.model_dump(include={"role", "content"}) for message in prompts.load(task).messages(**values)]
    return {"model": MODEL, "messages": messages}


def choice(answered):
    status, body, _ = answered
    assert status == 200
    return json.loads(body)["choices"][0]


@pytest.mark.parametrize(
    ("options", "status", "retry_after"),
    [
        ({"rate_429": 1, "retry_after_s": 3}, 429, "3"),
        ({"rate_429": 1}, 429, None),
        ({"rate_429_bare": 1, "retry_after_s": 3}, 429, None),
        ({"rate_500": 1}, 500, None),
        ({"rate_502": 1}, 502, None),
        ({"rate_503": 1}, 503, None),
    ],
)
async def test_errors_are_told_apart(ask, options, status, retry_after):
    got, body, headers = await ask(**options)
    assert (got, headers.get("Retry-After")) == (status, retry_after)
    if status == 502:
        assert "<html>" in body
    else:
        assert json.loads(body)["error"]["code"] == ("rate_limit_exceeded" if status == 429 else "server_error")


async def test_any_of_the_server_errors_may_be_asked_for():
    found = set()
    for number in range(40):
        with pytest.raises(Refused) as refused:
            await Faults.asked({"rate_5xx": "1"}, "", [("user", f"{number}")]).before()
        found.add(refused.value.status)
    assert found == {500, 502, 503}


async def test_a_standing_fault_holds_until_a_request_asks_for_another(ask):
    assert (await ask("rate_429=1"))[0] == 429
    assert (await ask("rate_429=1", rate_429=0))[0] == 200


async def test_a_reset_connection_is_an_error_of_the_connection(ask):
    with pytest.raises(aiohttp.ClientConnectionError):
        await ask(rate_reset=1)


async def test_a_hung_request_is_never_answered(ask):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await ask(rate_hang=1)


async def test_a_drip_is_complete_in_the_end(ask):
    started = time.monotonic()
    assert "<multi_step>" in choice(await ask(rate_drip=1, drip_s=0.4))["message"]["content"]
    assert time.monotonic() - started > 0.35


async def test_unusable_answers_are_told_apart(ask):
    good = choice(await ask())
    assert good["finish_reason"] == "stop"
    cut = choice(await ask(rate_truncated=1))
    assert cut["finish_reason"] == "length"
    assert good["message"]["content"].startswith(cut["message"]["content"])
    assert choice(await ask(rate_empty=1))["message"] == {"role": "assistant", "content": "", "refusal": None}
    refused = choice(await ask(rate_refused=1))["message"]
    assert refused["content"] is None
    assert refused["refusal"]
    assert choice(await ask(rate_malformed=1))["message"]["content"].count("]") == 3


async def test_another_script_keeps_the_form(ask):
    text = choice(await ask("rate_language=1", task="generate"))["message"]["content"]
    trajectory = parse_trajectory(text, TOOLS)
    said = " ".join(message.content or "" for message in trajectory.messages if message.role == "user")
    assert len(re.findall("[а-я]", said)) > 5 * len(re.findall("[a-z]", said))
    assert {call.name for message in trajectory.messages for call in message.tool_calls} <= {
        tool.name for tool in TOOLS
    }


async def test_a_hallucinated_argument_occurs_nowhere_else(ask):
    good = choice(await ask(task="generate"))["message"]["content"]
    text = choice(await ask(rate_hallucinated=1, task="generate"))["message"]["content"]
    assert ungrounded(parse_trajectory(good, TOOLS)) == []
    ((_, _, value),) = ungrounded(parse_trajectory(text, TOOLS))
    assert str(value) not in good
    assert text.count(str(value)) == 1


def test_an_answer_without_calls_cannot_hallucinate_arguments():
    text = "<workflow>no calls <func>not json</func></workflow>"
    assert Faults.asked({"rate_hallucinated": "1"}, "", []).after(text, 10_000).text == text


def test_escapes_and_keys_survive_another_script():
    data = {"key": "three words and\n more <b>", "id": "LO-1", "flag": True, "quoted": 'say "all of it" twice'}
    bent = json.loads(spoil.in_cyrillic(json.dumps(data)))
    assert list(bent) == list(data)
    assert (bent["id"], bent["flag"]) == ("LO-1", True)
    assert bent["key"].startswith("тхрее")


async def test_latencies_are_log_normal_around_their_median(monkeypatch):
    waited = []

    async def sleep(seconds):
        waited.append(seconds)

    monkeypatch.setattr(faults.asyncio, "sleep", sleep)
    for number in range(400):
        await Faults.asked({"latency_s": "2", "latency_sigma": "0.5"}, "", [("user", str(number))]).before()
    assert statistics.median(waited) == pytest.approx(2, rel=0.15)
    assert statistics.mean(waited) > statistics.median(waited)
    await Faults.asked({"latency_s": "2"}, "", []).before()
    assert waited[-1] == 2


async def test_a_request_meets_the_same_fates_in_the_same_order_under_the_same_seed():
    async def fates(seed):
        found = []
        for _ in range(20):
            try:
                await Faults.asked({"rate_429": "0.5", "seed": seed}, "", [("user", f"fates {seed}")]).before()
                found.append(200)
            except Refused as refused:
                found.append(refused.status)
        return found

    first, other = await fates("1"), await fates("2")
    assert first != other
    assert {200, 429} == set(first), "a retry must be able to succeed"


def test_options_that_are_no_numbers_are_left_out_of_a_request():
    fate = Faults.asked({"rate_malformed": "often", "rate_truncated": "nan", "seed": "²"}, "rate_429=inf", [])
    assert fate.after("<a>", 10) == ("<a>", "stop", None)


@pytest.mark.parametrize("text", ["rate_oops=1", "rate_429=often", "rate_429"])
def test_a_command_line_that_makes_no_sense_is_refused(text):
    with pytest.raises(ValueError, match="is n"):
        faults.standing(text)


def test_every_option_is_documented():
    table = DOCS.read_text(encoding="utf-8").split("| option |")[1].split("\n\n")[0]
    named = [name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(named) == sorted(OPTIONS)
