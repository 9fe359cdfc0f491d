"""Prices: the user's file, ours, and the public ones; nobody's guess."""

import pytest

from gem_tasks.domain.chat import Usage
from gem_tasks.errors import UserError
from gem_tasks.llm.usage.prices import Price, pricing

LOCAL = "http://127.0.0.1:8000/v1"
OPENAI = "https://api.openai.com/v1"
MILLION = Usage(prompt_tokens=1_000_000, completion_tokens=1_000_000)


def test_the_offline_teacher_is_free():
    assert pricing("offline-rules", LOCAL)(MILLION) == 0


def test_a_public_model_costs_what_its_provider_charges_and_cached_tokens_less():
    price = pricing("gpt-4o-mini", OPENAI)
    assert price(MILLION) == pytest.approx(0.75)
    assert price(MILLION.model_copy(update={"cached_tokens": 1_000_000})) == pytest.approx(0.675)


def test_what_is_written_to_a_cache_costs_more_and_what_is_read_from_it_less():
    price = pricing("claude-opus-5", "https://api.anthropic.com/v1")
    prompt = Usage(prompt_tokens=1_000_000)
    assert price(prompt) == pytest.approx(5)
    assert price(prompt.model_copy(update={"cache_write_tokens": 1_000_000})) == pytest.approx(6.25)
    assert price(prompt.model_copy(update={"cached_tokens": 1_000_000})) == pytest.approx(0.5)


def test_the_same_model_on_ones_own_machine_has_no_known_price():
    assert pricing("gpt-4o-mini", LOCAL) is None
    assert pricing("no-such-model", OPENAI) is None


def test_the_users_file_wins(tmp_path):
    path = tmp_path / "prices.toml"
    path.write_text('["gpt-4o-mini"]\ninput = 1\ncached_input = 0.5\noutput = 2\nreasoning = 3\n', encoding="utf-8")
    price = pricing("gpt-4o-mini", OPENAI, path)
    usage = Usage(prompt_tokens=300, cached_tokens=100, completion_tokens=400, reasoning_tokens=100)
    assert price(usage) == pytest.approx((200 * 1 + 100 * 0.5 + 300 * 2 + 100 * 3) / 1e6)
    own = {"input": 1, "cached_input": 0.5, "cache_write": 1.25, "output": 2}
    written = Usage(prompt_tokens=300, cached_tokens=100, cache_write_tokens=50)
    assert Price(**own)(written) == pytest.approx((150 * 1 + 100 * 0.5 + 50 * 1.25) / 1e6)


@pytest.mark.parametrize(
    "text", ["not toml", "a = 1", '["m"]\ninput = "x"\noutput = 1', '["m"]\ninput = -1\noutput = 1']
)
def test_a_broken_file_is_one_clear_line(tmp_path, text):
    path = tmp_path / "prices.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="is not a valid price table"):
        pricing("m", OPENAI, path)


def test_a_missing_file_is_one_clear_line(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        pricing("m", OPENAI, tmp_path / "none.toml")
