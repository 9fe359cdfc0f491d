"""Which of the tools at hand a model would call, for machines on which generating is too slow.

    ENV/bin/python choice.py MODEL_FOLDER < slices.jsonl > turns.jsonl
    python choice.py turns.jsonl …                                     # a table, with intervals by conversation

For each turn of the assistant with a call, given everything before it and the words beside the call, the likelihood of
each tool's name after the opening of a call. About one forward pass a turn. It is less than next-action accuracy
(`gem eval calls`): the model need neither decide to call nor write the call, and a guess is right in one of five.
"""

import importlib.resources
import json
import random
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

TEMPLATE = "qwen3_instruct_2507"


def measure(folder: str) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    templates = importlib.resources.files("trl") / "chat_templates"
    tokenizer.chat_template = (templates / f"{TEMPLATE}.jinja").read_text(encoding="utf-8")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).eval()

    def tokens(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    @torch.inference_mode()
    def likelihoods(prefix: str, names: list[str]) -> dict[str, float]:
        *start, last = tokens(prefix)
        cache = model(torch.tensor([start]), use_cache=True, logits_to_keep=1).past_key_values
        found = {}
        for name in names:
            own = tokens(f'{name}"')
            logits = model(torch.tensor([[last, *own]]), past_key_values=cache, use_cache=True).logits[0]
            cache.crop(-len(own) - 1)
            found[name] = sum(logits.float().log_softmax(-1)[place, token].item() for place, token in enumerate(own))
        return found

    for line in sys.stdin:
        row = json.loads(line)
        for at, message in enumerate(row["messages"]):
            if message["role"] != "assistant" or not message.get("tool_calls"):
                continue
            asked = {"tools": row["tools"], "tokenize": False, "add_generation_prompt": True}
            before = tokenizer.apply_chat_template(row["messages"][:at], **asked)
            words = f"{message['content']}\n" if message["content"] else ""
            names = [tool["function"]["name"] for tool in row["tools"]]
            scores = likelihoods(f'{before}{words}<tool_call>\n{{"name": "', names)
            truth = message["tool_calls"][0]["function"]["name"]
            print(json.dumps({"id": row["id"], "at": at, "truth": truth, "scores": scores}), flush=True)


def table(paths: list[str]) -> None:
    first = right(paths[0])
    for path in paths:
        found = right(path)
        low, high = interval({key: [value] for key, value in found.items()})
        by = {key: [value, first[key]] for key, value in found.items() if key in first}
        less, more = interval(by)
        share, gain = sum(found.values()) / len(found), sum(a - b for a, b in by.values()) / len(by)
        own = f"{len(found):4} turns {100 * share:5.1f} %  95 % {100 * low:5.1f} to {100 * high:5.1f}"
        print(
            f"{Path(path).stem:24} {own}  less the first {100 * gain:+5.1f} ({100 * less:+5.1f} to {100 * more:+5.1f})"
        )


def right(path: str) -> dict[tuple[str, int], int]:
    rows = map(json.loads, Path(path).read_text(encoding="utf-8").splitlines())
    return {(row["id"], row["at"]): int(max(row["scores"], key=row["scores"].get) == row["truth"]) for row in rows}


def interval(values: dict[tuple[str, int], list[Any]], tries: int = 10_000) -> tuple[float, float]:
    """95 %, bootstrap by conversation, of the mean of the first value, less the second if there is one."""
    clusters: defaultdict[str, list[int]] = defaultdict(list)
    for (name, _), (value, *other) in values.items():
        clusters[name.rpartition("-")[0]].append(value - sum(other))
    draw, groups, means = random.Random(0), list(clusters.values()), []
    for _ in range(tries):
        chosen = [value for group in draw.choices(groups, k=len(groups)) for value in group]
        means.append(sum(chosen) / len(chosen))
    means.sort()
    return means[int(0.025 * tries)], means[int(0.975 * tries)]


if __name__ == "__main__":
    table(sys.argv[1:]) if sys.argv[1].endswith(".jsonl") else measure(sys.argv[1])
