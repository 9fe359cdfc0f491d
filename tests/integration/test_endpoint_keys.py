"""Keys in other headers, and keys that expire while a stage is at work."""

import shutil
import sys

import pytest
from pydantic import SecretStr

from gem_tasks.domain.key_source import KeyCommand
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.errors import UserError
from gem_tasks.lineage import RunContext
from gem_tasks.llm import access, key_command
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard.run import run_shard
from tests.corpus import EXAMPLES, PARTITION
from tests.doubles.azure import KEY, Azure
from tests.planning import plan


@pytest.fixture(autouse=True)
def nothing_known():
    key_command._known.clear()


@pytest.fixture
def run(workspace, tmp_path):
    def go(url, stages=STAGE_NAMES, **settings):
        shutil.copytree(EXAMPLES, tmp_path / "docs")
        work = workspace(llm_base_url=url, shard_segments=100, **settings)
        ingest(work, str(tmp_path / "docs"), PARTITION)
        (shard,) = plan(work, PARTITION)
        return [run_shard(work, stage, PARTITION, shard["shard"], RunContext(run_id="r")) for stage in stages]

    return go


ADDRESSES = ["/deployments/mine?api-version=2026-01-01", "/v1"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_azure_by_either_address_with_a_key(run, teacher_url, monkeypatch, address):
    monkeypatch.setattr(access, "_AZURE", ("127.0.0.1",))  # as its own host names are known
    with Azure(teacher_url) as azure:
        reports = run(azure.url + address, llm_api_key=SecretStr(KEY))
        assert reports[0].accepted > 0
        assert [report.failed for report in reports] == [0] * len(STAGE_NAMES)
        assert azure.denied == []


def test_azure_behind_another_name_is_told_the_key_where_it_asks_for_it(run, teacher_url):
    with Azure(teacher_url) as azure:
        (report,) = run(azure.url + "/v1", ["filter"], llm_api_key=SecretStr(KEY))
        assert (report.accepted > 0, report.failed) == (True, 0)
        assert len(azure.denied) == 1
        assert azure.answered == report.calls - 1


def test_a_wrong_key_stops_the_stage_at_once(run, teacher_url):
    with Azure(teacher_url) as azure:
        with pytest.raises(UserError, match="invalid subscription key"):
            run(azure.url + "/v1", ["filter"], llm_api_key=SecretStr("wrong"))
        assert len(azure.denied) == 2  # in one header, and in the one it names


def test_a_deployment_that_is_not_there_is_told_as_such(run, teacher_url, monkeypatch):
    monkeypatch.setattr(access, "_AZURE", ("127.0.0.1",))
    with Azure(teacher_url) as azure, pytest.raises(UserError, match=r"unknown_model.*does not exist"):
        run(azure.url + "/deployments/other?api-version=1", ["filter"], llm_api_key=SecretStr(KEY))


def printing(path):
    """A command that prints what a file holds then."""
    return KeyCommand((sys.executable, "-c", f"print(open({str(path)!r}).read())"))


def test_a_token_that_expires_amid_a_stage_is_renewed_and_nothing_is_lost(run, teacher_url, tmp_path):
    printed = tmp_path / "token"
    printed.write_text("first")
    with Azure(teacher_url, tokens={"first"}) as azure:
        answer = azure.answer

        async def expiring(body):
            if azure.answered == 3:
                azure.tokens = {"second"}
                printed.write_text("second")
            return await answer(body)

        azure.answer = expiring
        (report,) = run(azure.url + "/v1", ["filter"], llm_api_key_command=printing(printed), llm_concurrency=2)
        assert (report.accepted > 0, report.failed) == (True, 0)
        assert 1 <= len(azure.denied) <= 2
        assert report.calls == azure.answered + len(azure.denied)


def test_a_token_that_is_refused_for_good_stops_the_stage(run, teacher_url, tmp_path):
    printed = tmp_path / "token"
    printed.write_text("stale")
    with Azure(teacher_url, tokens={"good"}) as azure:
        with pytest.raises(UserError, match="invalid subscription key"):
            run(azure.url + "/v1", ["filter"], llm_api_key_command=printing(printed))
        assert len(azure.denied) <= 3
