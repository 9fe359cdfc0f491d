"""What the benchmarks that GEM runs itself share: the settings of a run, its sampling and its clients."""

from importlib.metadata import version
from typing import Any

from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import Sampling
from gem_tasks.domain.evaluation import Endpoint, RunSettings
from gem_tasks.evals.options import OwnOptions, SynthesizerOptions
from gem_tasks.llm.client import OpenAIClient

_ATTEMPTS = 4


def name_of(model: Endpoint | str) -> str:
    """The model under test: an endpoint's, or a policy."""
    return model if isinstance(model, str) else model.model


def settings_of(harness: str, tasks: str, options: OwnOptions, extra: Json, **more: Any) -> RunSettings:
    """All that scores have to share to be compared: tasks by their hash, form of calls, sampling, GEM's version.

    Args:
        harness: its name.
        tasks: hash of the tasks.
        options: of the run.
        extra: settings of this harness only.
        more: further fields of the settings.
    """
    return RunSettings(
        version=f"gem-tasks {version('gem-tasks')}",
        subset=f"{harness}:{tasks}",
        mode=options.mode,
        thinking=options.thinking,
        temperature=options.temperature,
        seed=options.seed,
        extra={**extra, "max_tokens": options.max_tokens},
        **more,
    )


def sampling_of(options: OwnOptions, **extra: Any) -> Sampling:
    """Of the model under test; `extra` goes into the body of every request."""
    thinking: Json = {} if options.thinking is None else {"chat_template_kwargs": {"enable_thinking": options.thinking}}
    return Sampling(temperature=options.temperature, max_tokens=options.max_tokens, extra_body={**thinking, **extra})


def client_of(endpoint: Endpoint, options: OwnOptions | SynthesizerOptions) -> OpenAIClient:
    """A client for the model under test, or for the user."""
    return OpenAIClient(
        endpoint.base_url,
        endpoint.key,
        concurrency=options.concurrency,
        timeout_s=options.request_timeout_s,
        max_attempts=_ATTEMPTS,
        one_at_a_time=endpoint.one_at_a_time,
    )
