"""Texts of a sample, as an estimate measures them."""

from gem_tasks.domain.chat import Usage
from gem_tasks.domain.outcome import Cost
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.pipeline.preflight.sample import Measured, Step

TAKES = dict.fromkeys(STAGE_NAMES, "accepted") | {"revise": "rejected"}


def step(stage, kind="accepted", tokens=100, usd=0.01):
    usage = Usage(prompt_tokens=tokens, completion_tokens=tokens // 2)
    return Step(stage=stage, kind=kind, cost=Cost(calls=1, usage=usage, usd=usd, latency_s=2.0))


def text(number, *steps):
    return Measured(segment_id=str(number), uri="u", steps=steps)


def whole(number, tokens=100):
    return text(number, *(step(name, tokens=tokens) for name in STAGE_NAMES[:5]))
