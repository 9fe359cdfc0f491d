"""A million random and mutated completions through the parsers of all stages, and what they accept through the checks.

    python benchmarks/checks/fuzz.py FOLDER [--count 1000000] [--limit-s 2] [--seed 1]

May run in parts with different seeds; stopped with Ctrl-C or SIGTERM it reports what it has done.

FOLDER is what `clean.py` wrote. Completions are real ones of the offline teacher with characters, tags, braces, digits
and whole spans swapped, doubled, cut or replaced, and plain noise. Counts crashes (any exception) and hangs (more
CPU seconds than the limit).
"""

import argparse
import json
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from material import load
from rich.progress import track

from gem_tasks import prompts
from gem_tasks.checks import run_checks
from gem_tasks.checks.reading.case import Evidence
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.outcome import Accepted, Malformed, Rejected
from gem_tasks.domain.record import Record, Topic
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.prompts.dialogue import render_tools, render_trajectory
from gem_tasks.stages import stage
from offline_teacher.answers import answer

PIECES = (
    "<func>", "</func>", "<trajectory>", "</trajectory>", "<user>", "</user>", "<tool>", "</tool>", "<system>", "{",
    "}", "[", "]", '"', "\\", "\\u0000", "\\ud800", "null", "NaN", "1e999", "-0", "9" * 400, "<think>", "```json",
    "~~~~", "\0", "\u202e", "\ufeff", "١٢٣", "İ", "$ref", '{"$ref":"#"}', "(a)->(b)", "True", " " * 50, "\n" * 20,
    "[" * 500, '{"a":' * 300,
)  # fmt: skip
NOISE = "abcXYZ 0123456789<>/{}[]\"'\\:,.-_()#\n\té漢🙂\u0000\u200b"


class Stop(BaseException):
    """Raised by SIGTERM and SIGINT."""


class Hang(BaseException):
    """Raised by the alarm, so that nothing catches it."""


def records(folder):
    """Records as far as the stages need them, with the teacher's completion of each stage."""
    for _, sample in load(folder):
        text, extraction = sample.evidence.text, sample.evidence.extraction
        item = Segment(
            segment_id="s", document_id="d", document_uri="file:///d", start=0, end=len(text), tokens=1, text=text
        )
        topic = Topic(
            summary="s", platform="operator", domains=("books_and_literature",), task_category="customer_support"
        )
        made = {"filter": topic, "extract": extraction, "generate": sample.trajectory, "refine": sample.trajectory}
        yield Record(segment=item, outputs=made)


def completions(found, rng):
    """`(stage, record, text)` of real completions."""
    pool = []
    for record in rng.sample(found, min(len(found), 60)):
        for name in ("filter", "extract", "validate"):
            asked = [(message.role, message.content) for message in stage(name).request(record, prompts.load(name))]
            pool.append((name, record, answer(asked)))
        refined = record.outputs["refine"]
        turns = render_trajectory(refined.messages)
        pool.append(("generate", record, turns))
        pool.append(("refine", record, f"<toolsets>{render_tools(refined.tools)}</toolsets>\n{turns}"))
    return pool


def spoilt(text, rng):
    """The text with one to four changes; now and then noise only."""
    if rng.random() < 0.02:
        return "".join(rng.choices(NOISE, k=rng.randrange(200)))
    for _ in range(rng.randrange(1, 5)):
        at, end = sorted((rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)))
        end = min(end, at + rng.choice((1, 1, 3, 20, 400)))
        kind = rng.randrange(6)
        if kind == 0:
            text = text[:at] + text[end:]
        elif kind == 1:
            text = text[:at] + rng.choice(PIECES) + text[at:]
        elif kind == 2:
            text = text[:end] + text[at:end] + text[end:]
        elif kind == 3:
            text = text[:at] + "".join(rng.choices(NOISE, k=rng.randrange(1, 6))) + text[end:]
        elif kind == 4:
            words = text[at:end].split(" ")
            rng.shuffle(words)
            text = text[:at] + " ".join(words) + text[end:]
        else:
            text = text.replace(
                rng.choice("abcdefghijklmnopqrstuvwxyz0123456789{}<>"), rng.choice(NOISE), rng.randrange(1, 4)
            )
    return text


def one(name, record, text):
    """What became of a completion."""
    verdict = stage(name).parse(text, record)
    if not isinstance(verdict, Accepted | Malformed | Rejected):
        raise TypeError(f"{type(verdict)} is no verdict")
    if isinstance(verdict, Accepted) and name in ("generate", "refine"):
        trajectory = Trajectory.model_validate_json(verdict.payload)
        run_checks(trajectory, Evidence(record.segment.text, record.outputs["extract"]))
        return f"{name} accepted and checked"
    return f"{name} {type(verdict).__name__.lower()}"


def main():
    """Runs, prints counts, and fails on a crash or a hang."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--limit-s", type=float, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    pool = completions(list(records(options.folder)), rng)

    def alarm(*_):
        raise Hang

    def stop(*_):
        raise Stop

    signal.signal(signal.SIGPROF, alarm)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    found, broken, slowest = Counter(), [], 0.0
    turns = iter(track(range(options.count), "completions", disable=not sys.stderr.isatty()))
    while next(turns, None) is not None:
        name, record, text = rng.choice(pool)
        text = spoilt(text, rng)
        started = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, options.limit_s)
        try:
            found[one(name, record, text)] += 1
        except Stop:
            break
        except (Exception, Hang) as error:  # noqa: BLE001 - that is what is looked for
            found["broken"] += 1
            broken.append({"stage": name, "error": repr(error)[:300], "text": text[:5000]})
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        slowest = max(slowest, time.process_time() - started)
    print(
        json.dumps(
            {
                "completions": found.total(),
                "counts": dict(sorted(found.items())),
                "slowest_s": round(slowest, 3),
                "broken": broken[:20],
            },
            indent=1,
        )
    )
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
