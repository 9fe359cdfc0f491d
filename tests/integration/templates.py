"""Run by the environment of training: what each chat template of the locked TRL makes of a conversation, as JSON lines.

python templates.py FOLDER_OF_TARGETS ROWS.jsonl
"""

import importlib.resources
import json
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])

from datasets import Features, Json, List, Value, load_dataset
from targets import TOOLS, as_form, drops_text, form_of
from thoughts import PROBE, stretches, why_not
from transformers.utils.chat_template_utils import render_jinja_template

TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
ROWS = Features({"messages": List(Json()), "tools": Value("string"), "tool_errors": Value("string")})


def rendered(template, messages, tools):
    """The text, and what of it the loss is on."""
    (text,), (spans,) = render_jinja_template(
        conversations=[messages], tools=tools, chat_template=template, return_assistant_tokens_mask=True, **TOKENS
    )
    return text, [text[start:end] for start, end in spans]


def thoughts(template, form):
    """Why nothing can be learned of thoughts, or which of four thoughts each row shows, and which it learns."""

    def render(messages, tools, speaks):
        (text,), _ = render_jinja_template(
            conversations=[messages], tools=tools, chat_template=template, add_generation_prompt=speaks, **TOKENS
        )
        return text

    if why := why_not(render, as_form(PROBE, form)):
        return why
    rows = list(stretches(as_form(PROBE, form), TOOLS, render))
    learned = ["".join(row.text[start:end] for start, end in row.learned) for row in rows]
    return [["".join(n for n in "1234" if f"thought{n}" in text) for text in (row.text, said)]
            for row, said in zip(rows, learned, strict=True)]  # fmt: skip


def main(path):
    wanted = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
    loaded = load_dataset("json", data_files=path, split="train", features=ROWS)
    guessed = load_dataset("json", data_files=path, split="train")
    assert [row["messages"] for row in loaded] == [row["messages"] for row in wanted], "loading changed the rows"
    assert [row["messages"] for row in guessed] == [row["messages"] for row in wanted], "loading without features did"
    folder = importlib.resources.files("trl") / "chat_templates"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".jinja"):
            continue
        template = file.read_text(encoding="utf-8")
        render = lambda messages, tools, template=template: rendered(template, messages, tools)[0]  # noqa: E731
        form, why = form_of(render)
        said = {"name": file.name.removesuffix(".jinja"), "form": form, "why": why}
        if form:
            said["drops_text"] = drops_text(render, form)
            said["thoughts"] = thoughts(template, form)
            said["rows"] = [
                rendered(template, as_form(row["messages"], form), json.loads(row["tools"])) for row in loaded
            ]
        print(json.dumps(said))


main(sys.argv[2])
