"""What is asked for where a window is known, and what an endpoint's counts give away."""

import asyncio
import json

import pytest

from gem_tasks.domain.chat import ChatMessage, ChatRequest, Completion, Sampling, Usage
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.llm.dialects.dialect import PLAIN, Dialect
from gem_tasks.llm.dialects.memory import Known, Memory
from gem_tasks.llm.responses.envelope import read_complaint
from gem_tasks.llm.usage.tokens import Densities, least_tokens
from gem_tasks.llm.windows.fitting import SETTING, Windows, bounded
from gem_tasks.llm.windows.reading import Reading
from gem_tasks.store.local import LocalStore

WINDOW = 16384
WORD = "word "


def request(chars, max_tokens=24576, least=1536, letter=WORD):
    text = (letter * (chars // len(letter) + 1))[:chars]
    messages = (ChatMessage(role="user", content=text),)
    return ChatRequest(model="m", messages=messages, sampling=Sampling(max_tokens=max_tokens, least=least))


def windows(asked=None, read=lambda model: None, store=None, **known):
    made = Windows(read, Memory(store, "http://h/v1"), asked)
    asyncio.run(made.prepare(Known(dialect=PLAIN, model="m", **known)))
    return made


def overlong(prompt, limit, window=WINDOW):
    words = f"maximum context length is {window} tokens ({prompt} in the messages, {limit} in the completion)"
    error = EndpointError(ErrorClass.CONTEXT_LENGTH, words)
    error.complaint = read_complaint(json.dumps({"error": {"message": words}}))
    return error


def narrowed(made, asked, error, limit, complaints=1, dialect=PLAIN):
    return asyncio.run(made.narrowed(asked, dialect, error, limit, complaints))


def answered(made, asked, prompt, completion=100, reason="stop", limit=24576, cached=0):
    usage = Usage(prompt_tokens=prompt, completion_tokens=completion, cached_tokens=cached)
    asyncio.run(made.answered(asked, Completion(text="a", finish_reason=reason, usage=usage), limit))


def test_without_a_window_everything_is_asked_for():
    assert windows().fit(request(200_000), PLAIN) == 24576


def test_the_answers_limit_shrinks_first_down_to_what_the_stage_needs():
    made = windows(WINDOW)
    assert made.fit(request(4000, max_tokens=4096), PLAIN) == 4096
    room = made.fit(request(24_000), PLAIN)
    assert WINDOW - 24_000 / 2.9 < room < WINDOW - 24_000 / 3.1
    assert made.fit(request(48_000), PLAIN) == 1536
    with pytest.raises(EndpointError) as caught:
        made.fit(request(100_000), PLAIN)
    assert caught.value.error_class is ErrorClass.CONTEXT_LENGTH
    assert caught.value.calls == 0
    for words in ("1,536 for the answer", "16,384", "GEM_SEGMENT_MAX_TOKENS", "GEM_LLM_CONTEXT_WINDOW"):
        assert words in caught.value.detail


def test_room_for_thought_goes_first_and_some_of_it_stays():
    made, thinker = windows(WINDOW), Dialect(thinks=True, room=8192)
    assert made.fit(request(4000, max_tokens=2000), thinker) == 2000 + 8192
    assert made.fit(request(42_000, max_tokens=2000), thinker) == 1536 + 8192 // 4


def test_what_a_person_asked_for_that_is_less_than_the_stage_needs_is_enough():
    assert windows(WINDOW).fit(request(45_000, max_tokens=200), PLAIN) == 200


@pytest.mark.parametrize(("letter", "per_token"), [("заём ", 1.2), ("借书流程", 2.8), ("उधार ", 7.0)])
def test_in_doubt_a_request_is_sent_whatever_its_script(letter, per_token):
    """The most tokens that would fit, of a tokenizer that is good at the script."""
    asked = request(20_000, letter=letter)
    tokens = int(len(asked.body) / per_token)
    made = windows(tokens + 1536 + 16)
    assert made.fit(asked, PLAIN) >= 1536


def test_counts_of_the_endpoint_make_the_estimate_right():
    made, asked = windows(WINDOW), request(24_000)
    before = made.fit(asked, PLAIN)
    answered(made, asked, 5000)
    assert made.fit(asked, PLAIN) == WINDOW - 5500 - 1 - 16 > before


def test_one_odd_text_is_forgotten_again():
    found, body = Densities(), b"x" * 1000
    for tokens in [900, *[250] * 60]:
        found.observe(body, tokens)
    assert 250 * 1.1 <= found.most(body) < 270 * 1.1
    assert found.least(body) == 250


def test_a_complaint_that_names_the_numbers_is_asked_again_once_and_exactly():
    made, asked = windows(), request(24_000)
    assert narrowed(made, asked, overlong(6000, 24576), 24576) == WINDOW - 6000 - 16
    assert made.fit(request(1000, max_tokens=100), PLAIN) == 100


def test_a_prompt_that_leaves_too_little_is_not_asked_again():
    made, error = windows(), overlong(15_500, 24576)
    assert narrowed(made, request(60_000), error, 24576) is None
    assert "15,500 tokens and 1,536 for the answer do not fit the window of 16,384" in error.detail


def test_a_complaint_that_hides_the_prompt_is_approached_in_three_steps():
    """vLLM stops counting at what the limit leaves."""
    made, asked, limits = windows(), request(35_000), [24576]
    for complaints in range(1, 9):
        window, limit = WINDOW, limits[-1]
        error = overlong(window - limit + 1, limit) if limit < window else overlong(99, limit)
        error.complaint = error.complaint._replace(text=error.complaint.text.replace("99 in the", "? in the"))
        found = narrowed(made, asked, error, limit, complaints)
        if found is None:
            break
        limits.append(found)
    assert limits[-1] == 1536
    assert len(limits) <= 4


def test_a_window_that_a_person_set_is_corrected_by_the_endpoint_only_downwards():
    made = windows(8192)
    narrowed(made, request(1000), overlong(100, 30000, 16384), 24576)
    assert made.bounded(request(10), 100_000) < 8192
    narrowed(made, request(1000), overlong(100, 30000, 4096), 24576)
    assert made.bounded(request(10), 100_000) < 4096


def test_what_is_served_now_comes_before_what_was_remembered_and_claims_come_last(tmp_path):
    def found(reading, **known):
        made = Windows(lambda model: reading, Memory(None, "http://h/v1"))
        return asyncio.run(made.prepare(Known(dialect=PLAIN, model="m", **known)))

    remembered = {"window": 8192, "window_source": "the endpoint's own words"}
    assert found(Reading(32768, "/models", True), **remembered).tokens == 32768
    assert found(Reading(131072, "/models", False), **remembered).tokens == 8192
    assert found(Reading(131072, "/models", False)).tokens == 131072
    assert found(None, **remembered).tokens == 8192
    assert found(None) is None


def test_a_window_is_remembered_beside_what_else_is_known(tmp_path):
    store = LocalStore(tmp_path)
    memory = Memory(store, "http://h/v1")
    preset = Dialect(limit="max_completion_tokens")
    made = Windows(lambda model: None, memory)
    asyncio.run(made.prepare(memory.recall("m", preset)))
    narrowed(made, request(24_000), overlong(6000, 24576), 24576)
    known = memory.recall("m", PLAIN)
    assert (known.window, known.dialect) == (WINDOW, preset)
    memory.learned("m", preset, preset.model_copy(update={"stream": True}), "user", "")
    assert memory.recall("m", PLAIN).window == WINDOW


def test_a_remembered_window_is_tried_once_more_before_a_text_is_refused_and_forgotten_if_it_was_more():
    made, asked = windows(window=8192, window_source="the endpoint's own words"), request(80_000)
    assert made.fit(asked, PLAIN) == 1536
    with pytest.raises(EndpointError):
        made.fit(asked, PLAIN)
    made = windows(window=8192, window_source="the endpoint's own words")
    answered(made, asked, 20_000)
    assert made.fit(asked, PLAIN) == 24576


def test_a_prompt_cut_to_less_than_half_stops_the_stage():
    with pytest.raises(EndpointError) as caught:
        answered(windows(), request(60_000), 4095)
    assert caught.value.parameter == SETTING
    assert "cut your prompt" in caught.value.detail
    assert "4,095" in caught.value.detail


def test_an_answer_that_ends_at_a_round_window_stops_the_stage():
    with pytest.raises(EndpointError) as caught:
        answered(windows(), request(15_000), 3800, 296, "length")
    assert caught.value.parameter == SETTING
    assert "4,096" in caught.value.detail


def test_a_count_that_is_a_window_while_the_text_is_clearly_longer_is_a_cut():
    made = windows()
    answered(made, request(8_000), 2000)
    with pytest.raises(EndpointError):
        answered(made, request(24_000), 4096)


def test_where_the_window_is_known_a_cut_prompt_is_that_texts_failure():
    with pytest.raises(EndpointError) as caught:
        answered(windows(131072), request(60_000), 4095)
    assert (caught.value.error_class, caught.value.parameter) == (ErrorClass.CONTEXT_LENGTH, "")
    assert caught.value.calls == 1


def test_a_prompt_that_fills_the_window_was_cut_to_it():
    with pytest.raises(EndpointError, match="cut your prompt"):
        answered(windows(6000), request(24_000), 5999)


@pytest.mark.parametrize(
    ("asked", "counts"),
    [
        (request(24_000), {"prompt": 0}),
        (request(24_000), {"prompt": 10}),  # what a proxy makes up
        (request(24_000), {"prompt": 900}),  # all but the end came from a cache
        (request(24_000), {"prompt": 1100, "cached": 4400}),  # what was cached is counted beside
        (request(60_000, letter="उधार "), {"prompt": 17_000}),  # 3.5 letters a token
        (request(30_000, letter="借书流程"), {"prompt": 19_000}),
        (request(24_000), {"prompt": 6000, "completion": 2192, "reason": "length", "limit": 2192}),  # ours
        (request(24_000), {"prompt": 6000, "completion": 2192}),  # by chance
        (request(16_500), {"prompt": 4096}),  # by chance
    ],
)
def test_no_false_alarm(asked, counts):
    answered(windows(), asked, **counts)


def test_one_endless_answer_among_others_is_not_the_configurations_fault():
    made = windows()
    for _ in range(3):
        answered(made, request(24_000), 5500)
    answered(made, request(24_000), 5500, WINDOW - 5500, "length")
    assert made.fit(request(24_000), PLAIN) <= WINDOW - 5500


def test_a_batch_asks_for_what_fits():
    asked = request(24_000)
    assert bounded(asked, PLAIN, None) is PLAIN
    assert bounded(asked, PLAIN, WINDOW).limit_of(asked) == WINDOW - int(len(asked.body) / 3.3 * 1.1) - 1 - 16
    assert bounded(request(100_000), PLAIN, WINDOW).limit_of(asked) == 1536


def test_no_tokenizer_makes_fewer_tokens_than_the_least():
    """Measured ratios of letters to tokens are 4.5 at most."""
    for text in ("Return the parcel to the locker. " * 30, "借书流程" * 100):
        assert least_tokens(text.encode()) * 4.5 < len(text)
