"""Segments are cut to what the smallest known window of the stages leaves beside prompt and answer."""

from types import SimpleNamespace

import pytest

from gem_tasks.domain.request_options import RequestOptions
from gem_tasks.pipeline.ingest.segment_sizes import most_tokens
from gem_tasks.settings import Settings
from gem_tasks.store.local import LocalStore

URL = "http://models.example/v1"


@pytest.fixture
def work(tmp_path):
    def make(**settings):
        return SimpleNamespace(settings=Settings(**settings), store=LocalStore(tmp_path / "store"))

    return make


def test_without_an_endpoint_or_a_known_window_nothing_is_cut_smaller(work):
    assert most_tokens(work()) is None
    assert most_tokens(work(llm_base_url=URL)) is None


@pytest.mark.parametrize(("window", "most"), [(8192, 392), (10200, 2400), (1000, 300)])
def test_the_stage_that_needs_most_beside_the_segment_decides(work, window, most):
    options = {"": RequestOptions(context_window=window)}
    assert most_tokens(work(llm_base_url=URL, llm_requests=options)) == most


def test_a_window_of_one_stage_counts_for_that_stage(work):
    options = {"filter": RequestOptions(context_window=2000)}
    assert most_tokens(work(llm_base_url=URL, llm_requests=options)) == 900
