"""One file of a dataset that cannot be read is a fact about that file; a Hub that does not answer is not."""

import httpx
import pytest
from huggingface_hub import HfFileSystem
from huggingface_hub.errors import HfHubHTTPError

from gem_tasks.corpus.sources import hub
from gem_tasks.errors import StoreError


def raising(monkeypatch, status):
    response = httpx.Response(status, request=httpx.Request("GET", "http://hub/x"))

    def fail(*_, **__):
        raise HfHubHTTPError("no", response=response)

    monkeypatch.setattr(HfFileSystem, "open", fail)


@pytest.mark.parametrize("status", [403, 404, 451])
def test_a_file_that_is_closed_or_gone_is_its_own_fault(monkeypatch, status):
    raising(monkeypatch, status)
    with pytest.raises(OSError, match="no"):
        hub._open("datasets/a/b@main/x.md")


@pytest.mark.parametrize("status", [401, 408, 429, 500, 503])
def test_a_hub_that_does_not_answer_is_nobody_elses(monkeypatch, status):
    raising(monkeypatch, status)
    with pytest.raises(StoreError):
        hub._open("datasets/a/b@main/x.md")
