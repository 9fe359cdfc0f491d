"""Calls of conversations against an API that exists: over HTTP and MCP, dry and for real, and never anywhere else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gem_tasks.cli.main import app
from gem_tasks.errors import UserError
from gem_tasks.live_apis.http_api import HttpApi
from gem_tasks.live_apis.mcp_server import McpApi
from gem_tasks.live_apis.openapi import read_spec
from gem_tasks.live_apis.run import ground
from gem_tasks.live_apis.sample import Sampled, draw
from tests.factories import call, make_tool, make_trajectory, result, say
from tests.integration import shop
from tests.services import free_port, wait_for

TOOLS = (
    make_tool("search_loans", reader={"type": "string"}),
    make_tool("fetch_loan"),
    make_tool("renew_loan", loan_id={"type": "string"}, weeks={"type": "integer"}),
    make_tool("water_plants", minutes={"type": "integer"}),
)
TALK = make_trajectory(
    say("system", "A library."),
    say("user", "Renew my loan, please."),
    call(1, "search_loans", reader="Ines"),
    result(1, '{"loans": [{"loan_id": "L-7", "title": "Dune"}]}'),
    call(2, "fetch_loan", loan_id="L-7"),
    result(2, '{"loan_id": "L-7", "renewals": 1}'),
    call(3, "renew_loan", loan_id="L-7", weeks=9),
    result(3, '{"error": {"code": "too_long", "message": "at most 4 weeks"}}'),
    call(4, "renew_loan", loan_id="L-7", weeks=2),
    result(4),
    call(5, "renew_loan", loan_id="L-7", weeks=5),
    result(5),
    call(6, "water_plants", minutes=3),
    result(6),
    say("assistant", "Done."),
    tools=TOOLS,
)
SAMPLE = [Sampled("t1", TALK)]
MCP = f"{sys.executable} {Path(shop.__file__)}"


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(shop.SPEC))
    return path


async def test_a_dry_run_says_what_the_api_would_take_and_why_not(spec):
    report = await ground(SAMPLE, read_spec(spec))
    total = report.total
    assert (report.mode, total.calls, total.mapped_calls, total.valid, total.sent) == ("dry-run", 5, 4, 3, 0)
    assert total.causes == {"out_of_range": 1, "unmapped_tool": 1}
    assert total.mapped_tools == 3
    assert "maximum" in next(each.detail for each in report.outcomes if each.reason == "out_of_range")
    assert (total.meant_to_fail, total.failed_as_meant) == (1, 1)


async def test_a_sandbox_makes_the_calls_with_the_real_ids_that_it_learnt_on_the_way(spec):
    with shop.serving() as (url, requests):
        async with HttpApi(url, "hush", 5) as http:
            report = await ground(SAMPLE, read_spec(spec), http.call, allow_writes=True)
    assert (report.mode, report.total.calls, report.total.sent, report.total.succeeded) == ("sandbox", 5, 3, 3)
    assert [path for _, path, _ in requests] == [
        "/api/loans?reader=Ines",
        "/api/loans/L-1001",
        "/api/loans/L-1001/renew",
    ]
    assert {key for _, _, key in requests} == {"Bearer hush"}


async def test_what_the_real_system_does_not_know_is_counted_by_its_status(spec):
    alone = make_trajectory(
        say("user", "?"), call(1, "fetch_loan", loan_id="L-7"), result(1), say("assistant", "."), tools=TOOLS
    )
    with shop.serving() as (url, _):
        async with HttpApi(url, None, 5) as http:
            report = await ground([Sampled("t", alone)], read_spec(spec), http.call)
    assert report.total.causes == {"http_404": 1}
    assert (report.total.sent, report.total.succeeded) == (1, 0)


async def test_redirects_are_not_followed_and_a_dead_api_is_a_reason(spec):
    away = next(each for each in read_spec(spec).operations if each.name == "goAway")
    with shop.serving() as (url, requests):
        async with HttpApi(url, None, 5) as api:
            assert (await api.call(away, {})).reason == "redirect"
        assert len(requests) == 1
    async with HttpApi(url, None, 5) as api:
        assert (await api.call(away, {})).reason == "connection"


async def test_an_mcp_server_that_is_a_command_is_grounded_like_an_api():
    async with McpApi(MCP, 30) as server:
        dry = await ground(SAMPLE, server.api)
        report = await ground(SAMPLE, server.api, server.call, allow_writes=True)
        missing = next(each for each in server.api.operations if each.name == "get_loan")
        assert (await server.call(missing, {"loan_id": "nobody's"})).reason == "tool_error"
    assert [each.name for each in server.api.operations] == ["list_loans", "get_loan", "renew_loan"]
    assert (dry.total.calls, dry.total.valid, dry.total.causes) == (5, 4, {"unmapped_tool": 1})
    assert (report.total.succeeded, report.total.causes) == (4, {"unmapped_tool": 1})


async def test_an_mcp_server_that_has_a_url_too():
    port = free_port()
    with subprocess.Popen([*MCP.split(), str(port)], stderr=subprocess.DEVNULL) as process:
        wait_for(f"http://127.0.0.1:{port}/", process)
        async with McpApi(f"http://127.0.0.1:{port}/mcp", 30) as server:
            report = await ground(SAMPLE, server.api, server.call, allow_writes=True)
        process.terminate()
    assert report.total.succeeded == 4


@pytest.mark.parametrize("address", ["no-such-command-here", f"{sys.executable} -c pass", "http://127.0.0.1:1/mcp"])
async def test_an_mcp_server_that_is_none_is_one_line(address):
    with pytest.raises(UserError, match="does not answer") as error:
        async with McpApi(address, 10):
            pass
    assert "\n" not in str(error.value)


def test_the_command_reads_a_file_and_prints_json(spec, tmp_path):
    row = {
        "messages": [message.to_openai() for message in TALK.messages],
        "tools": [tool.to_openai() for tool in TOOLS],
        "metadata": {"trajectory_id": "t1"},
    }
    path = tmp_path / "trajectories.jsonl"
    path.write_text(json.dumps(row) + "\n")
    wanted = ["ground-api", "--spec", str(spec), "--from", str(path)]
    found = CliRunner().invoke(app, [*wanted, "--json"])
    assert found.exit_code == 0, found.output
    assert json.loads(found.output)["total"]["valid"] == 3
    report = tmp_path / "report.md"
    said = CliRunner().invoke(app, [*wanted, "--out", str(report)]).output
    assert "Of 4 calls to them, 3 (75%" in " ".join(said.split())
    assert "3 of 4 tools have a counterpart among the 4 operations of Library" in report.read_text()
    path.write_text('{"messages": 3}\n')
    assert isinstance(CliRunner().invoke(app, wanted).exception, UserError)


def test_the_same_seed_draws_the_same_sample_and_every_row_has_its_chance():
    rows = [Sampled(str(at), TALK) for at in range(100)]
    assert [row[0] for row in draw(rows, 10, 1)] == [row[0] for row in draw(rows, 10, 1)]
    drawn = {row.trajectory_id for seed in range(100) for row in draw(rows, 10, seed)}
    assert len(drawn) == 100


@pytest.mark.parametrize("data", [b"\xff\xfe\n", b"[" * 100_000, None], ids=["bytes", "deep", "missing"])
def test_a_file_that_cannot_be_read_is_one_line(data, spec, tmp_path):
    path = tmp_path / "odd.jsonl"
    if data is not None:
        path.write_bytes(data)
    found = CliRunner().invoke(app, ["ground-api", "--spec", str(spec), "--from", str(path)])
    assert isinstance(found.exception, UserError) and "odd.jsonl" in str(found.exception)


@pytest.mark.parametrize("more", [["--mcp", "python 'x"], ["--mcp", " "], ["--out", "missing/report.md"]])
def test_an_option_that_cannot_work_is_one_line(more, spec, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"tools": [], "messages": [{"role": "user", "content": "Hi"}]}))
    api = [] if "--mcp" in more else ["--spec", str(spec)]
    found = CliRunner().invoke(app, ["ground-api", "--from", str(path), *api, *more])
    assert isinstance(found.exception, UserError), found.exception


def test_half_a_surrogate_pair_in_a_description_reaches_the_json(tmp_path):
    path, rows = tmp_path / "odd.json", tmp_path / "rows.jsonl"
    path.write_text('{"openapi": "3.1.0", "info": {"title": "a\\ud800b"}, "paths": {}}')
    rows.write_text(json.dumps({"tools": [], "messages": [{"role": "user", "content": "Hi"}]}))
    found = CliRunner().invoke(app, ["ground-api", "--spec", str(path), "--from", str(rows), "--json"])
    assert json.loads(found.output)["api"] == "a\ud800b"


async def test_an_answer_that_breaks_the_protocol_is_a_reason():
    async with McpApi(MCP, 30) as server:
        assert server.api.title == f"library ({sys.executable})"

        async def broken(*_):
            raise RuntimeError("Invalid structured content returned by tool get_loan")

        server._client.call_tool = broken
        reply = await server.call(server.api.operations[0], {})
    assert (reply.ok, reply.reason) == (False, "mcp_error")
