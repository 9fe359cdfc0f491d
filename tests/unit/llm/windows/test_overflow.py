"""The numbers in complaints about length, in the words of those who complain."""

import json

import pytest

from gem_tasks.errors import ErrorClass
from gem_tasks.llm.responses.classify import from_status
from gem_tasks.llm.windows.overflow import read_overflow

LIMIT = 8000
SAID = [
    ("This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.", 8192, 9001),
    ("This model's maximum context length is 16384 tokens. However, you requested 30576 tokens (6000 in the messages,"
     " 24576 in the completion).", 16384, 6000),
    ("'max_tokens' or 'max_completion_tokens' is too large: 24576. This model's maximum context length is 16384 tokens"
     " and your request has 6000 input tokens (24576 > 16384 - 6000).", 16384, 6000),
    ("This model's maximum context length is 32768 tokens. However, you requested 32512 output tokens and your prompt"
     " contains at least 257 input tokens, for a total of at least 32769 tokens.", 32768, None),
    ("This model's maximum context length is 4096 tokens. However, you requested 4096 output tokens and your prompt"
     " contains 110 characters (more than 0 characters, which is the upper bound for 0 input tokens).", 4096, None),
    ("You passed 8385 input tokens and requested 8000 output tokens. However, the model's context length is only 16384"
     " tokens, resulting in a maximum input length of 8384 tokens.", 16384, None),
    ("You passed 9000 input tokens and requested 2000 output tokens. However, the model's context length is only 10384"
     " tokens.", 10384, 9000),
    ("max_tokens=24576cannot be greater than max_model_len=max_total_tokens=16384. Please request fewer", 16384, None),
    ("max_completion_tokens=131072 cannot be greater than max_model_len=128000", 128000, None),
    ("prompt is too long: 213462 tokens > 200000 maximum", 200000, 213462),
    ("prompt is too long: 5000, model maximum context length: 4096", 4096, 5000),
    ("input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease", 200000, 190000),
    ("The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).", 1048575, 1196265),
    ("This model's maximum prompt length is 131072 but the request contains 537812 tokens.", 131072, 537812),
    ("This endpoint's maximum context length is 16384 tokens. However, you requested about 30000 tokens (6000 of text"
     " input, 24000 in the output).", 16384, 6000),
    ("request (6000 tokens) exceeds the available context size (4096 tokens), try increasing it", 4096, 6000),
    ("tokens to keep from the initial prompt is greater than the context length (n_keep: 5000>= n_ctx: 4096).",
     4096, 5000),
    ("Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length"
     " of only 4096 tokens", 4096, None),
    ("Requested token count exceeds the model's maximum context length of 16384 tokens. You requested a total of 30000"
     " tokens: 6000 tokens from the input messages and 24000 tokens for the completion.", 16384, 6000),
    ("The input (6000 tokens) is longer than the model's context length (4096 tokens).", 4096, 6000),
    ("Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
     32768, 40000),
    ("Invalid request: Your request exceeded model token limit: 131072 (requested: 140000)", 131072, None),
    ("<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 30720]", 30720, None),
    ("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 3000 `inputs` tokens and 2000"
     " `max_new_tokens`", 4096, 3000),
    ("prompt token count of 200000 exceeds the limit of 128000", 128000, 200000),
    ("Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192", 8192, 9000),
    ("The decoder prompt (length 5000) is longer than the maximum model length of 4096.", 4096, 5000),
    ("Input tokens exceed the configured limit of 200,000 tokens. Your messages resulted in 286,028 tokens.",
     200000, 286028),
    ("Your input exceeds the context window of this model. Please adjust your input and try again.", None, None),
    ("invalid params, context window exceeds limit (2013)", None, None),
    ("Input token length too long", None, None),
]  # fmt: skip


@pytest.mark.parametrize(("words", "window", "prompt"), SAID)
def test_the_numbers_are_read_and_the_class_is_right(words, window, prompt):
    said = read_overflow(words, LIMIT)
    assert (said.window, said.prompt) == (window, prompt)
    body = json.dumps({"error": {"message": words, "type": "invalid_request_error", "param": None, "code": None}})
    assert from_status(400, {}, body).error_class is ErrorClass.CONTEXT_LENGTH


def test_numbers_beside_the_message():
    inner = {"code": 400, "message": "too long", "type": "exceed_context_size_error", "n_prompt_tokens": 6000}
    body = json.dumps({"error": inner | {"n_ctx": 4096}})
    assert from_status(400, {}, body).error_class is ErrorClass.CONTEXT_LENGTH
    assert read_overflow(body, LIMIT)[:2] == (4096, 6000)


def test_a_limit_per_minute_that_one_request_exceeds_is_a_window_too():
    words = "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 9000, please reduce"
    assert read_overflow(words, LIMIT).window == 6000


@pytest.mark.parametrize("words", [SAID[9][0], SAID[12][0], SAID[15][0], SAID[22][0]])
def test_a_prompt_that_is_too_long_by_itself_is_told_apart(words):
    assert read_overflow(words, LIMIT).input_only
    assert not read_overflow(SAID[1][0], LIMIT).input_only
