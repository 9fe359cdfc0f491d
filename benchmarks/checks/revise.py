r"""A second chance: of conversations that checks refuse, how many are accepted after one revision.

    GEM_LLM_BASE_URL=… GEM_LLM_MODEL=… python benchmarks/checks/revise.py PATH [--many 12] [--seed 7] [--out FILE]

Conversations get an injected defect that a check refuses, each kind in turn; the model is asked for the revision with
the shipped prompt, once; the checks read what comes back. FILE gets a line per conversation: what was refused, what is
left, and which share of the messages was kept word for word.
"""

import argparse
import asyncio
import json
import random
from collections import Counter
from pathlib import Path

from defects import KINDS
from judge import record, share
from material import load

from gem_tasks import prompts
from gem_tasks.domain.chat import ChatRequest
from gem_tasks.domain.finding import Severity
from gem_tasks.domain.outcome import Accepted
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.errors import EndpointError
from gem_tasks.llm.client import OpenAIClient
from gem_tasks.settings import load as settings
from gem_tasks.stages.revise import Revise, faults
from gem_tasks.stages.validate import findings_of

STAGE = Revise()


def refused(samples, many, rng):
    """Spoilt conversations with at least one error, none of their sound version."""
    kinds = [kind for family in KINDS.values() for kind in family]
    rng.shuffle(kinds)
    made = []
    for turn in range(many * 60):
        if len(made) == many:
            break
        kind, (key, sample) = kinds[turn % len(kinds)], rng.choice(samples)
        try:
            spoilt = kind(sample, rng)
        except AttributeError:  # a kind that needs workflows, and there are none
            continue
        if spoilt is not None and any(faults(record(key, spoilt))):
            made.append((kind.__name__, key, record(key, spoilt)))
    return made


def read(kind, key, before, text):
    verdict = STAGE.parse(text, before)
    told = {"kind": kind, "id": key, "findings": list(faults(before))}
    if not isinstance(verdict, Accepted):
        return told | {"accepted": False, "left": [verdict.complaint]}
    after = Trajectory.model_validate_json(verdict.payload)
    left = findings_of(before.with_output("revise", after))
    errors = [f"{each.check}/{each.kind}: {each.detail}" for each in left if each.severity is Severity.ERROR]
    refined = before.needed("refine", Trajectory).messages
    old = Counter((message.role, message.content) for message in refined)
    kept = (old & Counter((message.role, message.content) for message in after.messages)).total()
    return told | {
        "accepted": not errors,
        "left": errors,
        "open": sum(each.severity is Severity.OPEN for each in left),
        "kept": kept / len(refined),
        "messages": len(after.messages),
        "answer": verdict.payload,
    }


async def ask(cases):
    chosen, prompt = settings(), prompts.load(STAGE.prompt)
    bounds = {"timeout_s": chosen.llm_timeout_s, "max_attempts": chosen.llm_max_attempts}
    endpoint, key = chosen.endpoint_for("revise"), chosen.key_for("revise")
    async with OpenAIClient(endpoint, key, concurrency=64, **bounds) as client:

        async def one(kind, key, before):
            request = ChatRequest(
                model=chosen.model_for("revise"), messages=STAGE.request(before, prompt), sampling=STAGE.sampling
            )
            try:
                return read(kind, key, before, (await client.complete(request)).text or "")
            except EndpointError as error:
                return {"kind": kind, "id": key, "accepted": False, "left": [str(error)[:200]]}

        return await asyncio.gather(*(one(*case) for case in cases))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    parser.add_argument("--many", type=int, default=12)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    found = asyncio.run(ask(refused(list(load(given.path)), given.many, random.Random(given.seed))))
    if given.out:
        given.out.write_text("".join(json.dumps(each) + "\n" for each in found), encoding="utf-8")
    print("accepted by the checks after one revision:", share(sum(each["accepted"] for each in found), len(found)))
    for each in found:
        kept = f"{each['kept']:.0%} of the messages kept" if "kept" in each else ""
        ended = "accepted" if each["accepted"] else "refused"
        print(f"  {each['kind']:24} {ended} {kept} {'; '.join(each['left'])[:160]}")


if __name__ == "__main__":
    main()
