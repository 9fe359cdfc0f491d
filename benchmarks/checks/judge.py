r"""What the judge finds: how many sound conversations it keeps, and how many injected defects it refuses.

    GEM_LLM_BASE_URL=… GEM_LLM_MODEL=… python benchmarks/checks/judge.py PATH \
        [--clean 30] [--spoilt 36] [--seed 5] [--out FILE]

Only defects that no check refuses go to the judge, as in the pipeline; the open findings go with them. One request a
conversation, with the shipped prompt; nothing is repaired. FILE gets a line per verdict, with quote and reason.
"""

import argparse
import asyncio
import json
import random
from collections import Counter, defaultdict
from pathlib import Path

from defects import KINDS
from material import load

from gem_tasks import prompts
from gem_tasks.domain.chat import ChatRequest
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.interval import wilson
from gem_tasks.domain.record import Record
from gem_tasks.errors import EndpointError
from gem_tasks.llm.client import OpenAIClient
from gem_tasks.prompts.tags import TagError
from gem_tasks.settings import load as settings
from gem_tasks.stages.validate import Validate, judged

STAGE = Validate()


def record(key, sample):
    text = sample.evidence.text or ""
    place = {"document_id": key, "document_uri": f"file:///{key}", "start": 0, "end": len(text)}
    segment = Segment(segment_id=key, text=text, tokens=len(text) // 4, **place)
    return Record(segment=segment, outputs={"extract": sample.evidence.extraction, "refine": sample.trajectory})


def spoilt(samples, many, rng):
    """Defects that the checks leave to the judge, each kind in turn."""
    kinds = [kind for family in ("grounding", "consistency", "policy", "fidelity", "claims") for kind in KINDS[family]]
    made = []
    for turn in range(many * 50):
        if len(made) == many:
            break
        kind, (key, sample) = kinds[turn % len(kinds)], rng.choice(samples)
        try:
            changed = kind(sample, rng)
        except AttributeError:  # a kind that needs workflows, and there are none
            continue
        if changed is not None and STAGE.precheck(record(key, changed)) is None:
            made.append((kind.__name__, key, changed))
    return made


async def ask(cases, concurrency):
    chosen = settings()
    prompt = prompts.load("validate")
    limit = asyncio.Semaphore(concurrency)
    endpoint, key = chosen.endpoint_for("validate"), chosen.key_for("validate")
    bounds = {"timeout_s": chosen.llm_timeout_s, "max_attempts": chosen.llm_max_attempts}
    async with OpenAIClient(endpoint, key, concurrency=concurrency, **bounds) as client:

        async def one(kind, key, sample):
            whole = record(key, sample)
            request = ChatRequest(
                model=chosen.model_for("validate"), messages=STAGE.request(whole, prompt), sampling=STAGE.sampling,
                answer_schema=STAGE.answer_schema,
            )  # fmt: skip
            async with limit:
                try:
                    found = judged((await client.complete(request)).text or "", whole)
                except (EndpointError, TagError) as error:
                    return {"kind": kind, "id": key, "unreadable": str(error)[:200]}
            faults = {slug: [verdict.quote, verdict.reason] for slug, verdict in found.faults.items()}
            return {"kind": kind, "id": key, "kept": found.kept, "open": len(found.findings), "faults": faults}

        return await asyncio.gather(*(one(*case) for case in cases))


def share(hits, total):
    low, high = wilson(hits, total) if total else (0.0, 0.0)
    return f"{hits} of {total} ({low:.0%} to {high:.0%})"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    parser.add_argument("--clean", type=int, default=30)
    parser.add_argument("--spoilt", type=int, default=36)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rng, samples = random.Random(given.seed), list(load(given.path))
    sound = [("sound", key, sample) for key, sample in rng.sample(samples, min(given.clean, len(samples)))]
    sound = [each for each in sound if STAGE.precheck(record(*each[1:])) is None]
    found = asyncio.run(ask(sound + spoilt(samples, given.spoilt, rng), given.concurrency))
    if given.out:
        given.out.write_text("".join(json.dumps(each) + "\n" for each in found), encoding="utf-8")
    read = [each for each in found if "kept" in each]
    clean = [each for each in read if each["kind"] == "sound"]
    print(f"verdicts {len(read)}, unreadable {len(found) - len(read)}")
    print("sound conversations kept:", share(sum(each["kept"] for each in clean), len(clean)))
    broken = [each for each in read if each["kind"] != "sound"]
    print("defects refused:", share(sum(not each["kept"] for each in broken), len(broken)))
    by = defaultdict(Counter)
    for each in broken:
        by[each["kind"]][each["kept"]] += 1
    for kind, counts in sorted(by.items()):
        print(f"  {kind:24} {counts[False]} of {counts.total()}")


if __name__ == "__main__":
    main()
