"""Supervised fine-tuning with TRL, as one job file says. Started by `gem distill train`, by accelerate, or by hand:

    python sft.py job.json              one process: CPU or one GPU
    accelerate launch --config_file accelerate/fsdp2.yaml sft.py job.json

With `reasoning` the job trains on the assistant's private thoughts, with the model's own template: see `thoughts.py`.

The same command resumes where a killed one stopped: from the newest complete checkpoint. Loss is on what the
assistant says, only. Metrics go to `metrics.jsonl`, TensorBoard, and as JSON lines to standard output; `result.json` comes
last. An error that a person can fix is one line on standard error that begins with `gem: `, and exit code 2.
"""

import ctypes
import fcntl
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import torch
from datasets import Dataset, Features, Json, List, Value, load_dataset
from peft import LoraConfig
from scratch import build, template
from targets import Form, as_form, drops_text, form_of
from thoughts import PROBE, labelled, stretches, why_not
from transformers import AutoConfig, AutoTokenizer, TrainerCallback, set_seed
from trl import SFTConfig, SFTTrainer
from trl.chat_template_utils import get_training_chat_template, has_generation_markers

ROWS = Features({"messages": List(Json()), "tools": Value("string")})
"""Each message as it is: a column of structs would fill in every key that another row's arguments have."""
PREPARATION_S = 6 * 3600
"""For loading weights, and rendering and tokenizing all rows."""
VALIDATED = 128
"""Conversations at most over which the validation loss is taken: more would tell hardly more and take a CPU long."""


def main(job: dict[str, Any]) -> None:
    """Trains, saves, and writes the result."""
    run, began = Path(job["run"]), time.monotonic()
    die_with_parent()
    prepared = within(PREPARATION_S)
    lock = only_one(run)
    base = resolve(job, run)
    if job.get("base_only"):
        finish(run, {"base": str(base), "seconds": time.monotonic() - began})
        return
    set_seed(job["seed"])
    tokenizer = AutoTokenizer.from_pretrained(base)
    if job["chat_template"]:
        tokenizer.chat_template = template(job["chat_template"])
    args = arguments(job, run)
    if job.get("reasoning"):
        form = thinking_form(tokenizer, job["chat_template"] or str(base))
        read = load_thoughts
    else:
        form = target_form(tokenizer, str(base)) if job["kind"] == "agent" else "object"
        read = load
    train, dropped = read(Path(job["train"]), tokenizer, args.max_length, job["too_long"], form)
    validation, _ = read(Path(job["validation"]), tokenizer, args.max_length, job["too_long"], form)
    validation = validation.select(range(min(len(validation), VALIDATED)))
    if not len(train):
        complain(
            f"All {dropped} rows are longer than max_length={args.max_length}", "Raise it, or set too_long: truncate."
        )
    args.dataset_num_proc = processes(len(train))
    meter = Meter(run, job.get("max_cpu_minutes"))
    trainer = SFTTrainer(
        model=str(base),
        args=args,
        processing_class=tokenizer,
        train_dataset=train,
        eval_dataset=validation if len(validation) else None,
        peft_config=LoraConfig(task_type="CAUSAL_LM", **job["lora"]) if job["lora"] else None,
        callbacks=[meter],
    )
    if not len(trainer.train_dataset):
        complain(
            f"Truncated to max_length={args.max_length}, no row keeps an assistant answer: tools and rules fill it",
            "Raise max_length.",
        )
    prepared()
    resumed = newest_checkpoint(run)
    say(event="start", rows=len(trainer.train_dataset), dropped=dropped, resumed_from=resumed and resumed.name)
    done = trainer.train(resume_from_checkpoint=resumed and str(resumed))
    if len(validation):
        trainer.evaluate()
    save(trainer, tokenizer, run / "model", base)
    if trainer.accelerator.is_main_process:
        parameters = sum(each.numel() for each in trainer.model.parameters())
        finish(run, {
            "base": str(base), "rows": len(trainer.train_dataset), "dropped": dropped, "parameters": parameters,
            "steps": trainer.state.global_step, "tokens": trainer.state.num_input_tokens_seen,
            "resumed_from": resumed and resumed.name, "seconds": time.monotonic() - began,
            "train_seconds": done.metrics["train_runtime"], "steps_here": trainer.state.global_step - meter.first,
            "tokens_here": trainer.state.num_input_tokens_seen - meter.tokens_before,
            "cpu_seconds": time.process_time(), "loss": meter.last("loss"), "validation_loss": meter.last("eval_loss"),
            "device": str(trainer.args.device), "gpu_memory_bytes": torch.cuda.max_memory_reserved(),
        })  # fmt: skip
    del lock


def die_with_parent() -> None:
    """Lets the kernel end this process when its parent dies, even by kill -9: a retry must not meet its predecessor."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def within(limit_s: int) -> Callable[[], None]:
    """Ends this process after this time unless the returned function is called: a hostile tokenizer or template need not end."""

    def late() -> None:
        print(f"gem: Reading base and rows took over {limit_s // 3600} h. Try fewer rows, or another base.", file=sys.stderr, flush=True)
        os._exit(2)

    timer = threading.Timer(limit_s, late)
    timer.daemon = True
    timer.start()
    signal.alarm(limit_s + 60)  # kills it where native code never lets the timer run

    def done() -> None:
        timer.cancel()
        signal.alarm(0)

    return done


def only_one(run: Path) -> IO[str] | None:
    """A lock that lasts as long as the process; of several processes of one job the first has it."""
    if os.environ.get("LOCAL_RANK", "0") != "0":
        return None
    lock = (run / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        complain(f"Another process is training in {run}", "Wait for it, or stop it.")
    return lock


def resolve(job: dict[str, Any], run: Path) -> Path:
    """The folder of the weights, or newly created ones. This process has no network to download them."""
    model = job["model"]
    if model.get("scratch"):
        folder = run / "base"
        if not (folder / "generation_config.json").exists():
            build(folder, Path(job["train"]), model["scratch"], job["chat_template"] or "qwen3", job["seed"])
        return folder
    return Path(model["path"])


def arguments(job: dict[str, Any], run: Path) -> SFTConfig:
    """TRL's own arguments; what is not the profile's business is set here."""
    if job["sft"].get("bf16") and not job["sft"].get("use_cpu") and not torch.accelerator.is_available():
        complain(
            "The profile needs a GPU (bf16), but this machine has none",
            "Run it on a machine with a GPU, or choose another profile: gem distill profiles",
        )
    values = {
        "assistant_only_loss": not job.get("reasoning"),  # otherwise the rows have labels already
        "report_to": ["tensorboard"],
        "include_num_input_tokens_seen": "all",
        "save_strategy": "steps",
        "per_device_eval_batch_size": 1,
        "save_total_limit": 2,
        "seed": job["seed"],
        "disable_tqdm": True,
        **job["sft"],
        "output_dir": str(run / "checkpoints"),
    }
    try:
        return SFTConfig(**values)
    except (TypeError, ValueError) as error:
        complain(f"The profile's section `sft` is invalid: {str(error).splitlines()[0][:300]}", "Correct the profile.")


def target_form(tokenizer: Any, base: str) -> Form:
    """How the template that is trained on reads the arguments of calls."""
    try:
        marked = has_generation_markers(tokenizer.chat_template or "")
        used = tokenizer.chat_template if marked else get_training_chat_template(tokenizer)
    except ValueError as error:
        complain(
            f"TRL cannot find the assistant's part in the chat template of {base}: {str(error).splitlines()[0][:200]}",
            "Set `chat_template` in the profile to a TRL template that suits the base model.",
        )

    def render(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
        return tokenizer.apply_chat_template(messages, tools=tools, tokenize=False, chat_template=used)

    form, why = form_of(render)
    if form is None:
        complain(
            f"The chat template of {base} cannot hold these conversations: {why}",
            "Choose another base model, or set `chat_template` in the profile to a TRL template that suits it.",
        )
    if drops_text(render, form):
        say(event="note", note=f"the chat template of {base} leaves out what the assistant says beside a call")
    return form


def load(path: Path, tokenizer: Any, longest: int, too_long: str, form: Form) -> tuple[Dataset, int]:
    """Rows that fit, and how many do not: a conversation that is cut has no end to learn."""
    if not path.stat().st_size:
        return Dataset.from_dict({"messages": [], "tools": []}), 0
    cache = str(path.parent / "cache")
    rows = load_dataset("json", data_files=str(path), split="train", features=ROWS, cache_dir=cache)
    if form == "text":
        rows = rows.map(lambda row: {"messages": as_form(row["messages"], form)})
    if too_long == "truncate":
        return rows, 0

    def fits(row: dict[str, Any]) -> bool:
        tools = json.loads(row["tools"]) or None
        ids = tokenizer.apply_chat_template(row["messages"], tools=tools, tokenize=True, return_dict=True)["input_ids"]
        return len(ids) <= longest

    kept = rows.filter(fits, num_proc=processes(len(rows)))
    return kept, len(rows) - len(kept)


def thinking_form(tokenizer: Any, template: str) -> Form:
    """How the model's own template, which has to render thoughts, reads the arguments of calls."""
    render = own(tokenizer)
    form, why = form_of(lambda messages, tools: render(messages, tools, False))
    why = why if form is None else why_not(render, as_form(PROBE, form))
    if form is None or why:
        complain(
            f"The chat template {template} cannot teach thoughts: {why}",
            "Choose a base model that thinks (Qwen3, GLM-4.5, Nemotron 3, LFM2.5), or set `reasoning: false` in the profile.",
        )
    return form


def own(tokenizer: Any) -> Callable[..., str]:
    """Renders with the template that servers use."""

    def render(messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None, speaks: bool) -> str:
        return tokenizer.apply_chat_template(messages, tools=tools, tokenize=False, add_generation_prompt=speaks)

    return render


def load_thoughts(path: Path, tokenizer: Any, longest: int, too_long: str, form: Form) -> tuple[Dataset, int]:
    """Like `load`, for conversations with thoughts: tokens with labels, of which a conversation may give several rows."""
    if not path.stat().st_size:
        return Dataset.from_dict({"input_ids": [], "labels": []}), 0
    rows = load_dataset("json", data_files=str(path), split="train", features=ROWS, cache_dir=str(path.parent / "cache"))
    render = own(tokenizer)

    def split(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        made = [
            labelled(stretch, tokenizer)
            for messages, tools in zip(batch["messages"], batch["tools"], strict=True)
            for stretch in stretches(as_form(messages, form), json.loads(tools) or None, render)
        ]
        return {name: [row[name] for row in made] for name in ("input_ids", "labels")}

    try:
        found = rows.map(split, batched=True, batch_size=16, remove_columns=rows.column_names, num_proc=processes(len(rows)))
    except ValueError as error:
        complain(f"A conversation cannot be rendered: {str(error).splitlines()[-1][:200]}", "Leave it out of the set.")
    if too_long == "truncate":
        found = found.map(lambda row: {name: row[name][:longest] for name in ("input_ids", "labels")})
    kept = found.filter(lambda row: len(row["input_ids"]) <= longest and any(each >= 0 for each in row["labels"]))
    return kept, len(found) - len(kept)


def processes(rows: int) -> int | None:
    """How many tokenize: one for each core, where that is worth starting them."""
    return os.cpu_count() if rows > 2000 else None


def newest_checkpoint(run: Path) -> Path | None:
    """The newest one that is whole: `trainer_state.json` is written last."""
    whole = [path.parent for path in run.glob("checkpoints/checkpoint-*/trainer_state.json")]
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def save(trainer: SFTTrainer, tokenizer: Any, folder: Path, base: Path | str) -> None:
    """Plain weights that any server loads, in the base's precision and files of at most 1 GB; an adapter is merged.

    TRL trains in float32 regardless of the base model, and FSDP gathers tied weights twice.
    """
    state = trainer.accelerator.get_state_dict(trainer.model)
    model = trainer.accelerator.unwrap_model(trainer.model)
    if not trainer.accelerator.is_main_process:
        return
    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
        state = model.state_dict()
    tied = (getattr(model, "_tied_weights_keys", None) or ()) if model.config.tie_word_embeddings else ()
    dtype = getattr(torch, str(AutoConfig.from_pretrained(base).dtype or torch.float32).removeprefix("torch."))
    state = {name: each.to(dtype) for name, each in state.items() if name not in tied}
    model.save_pretrained(folder, state_dict=state, max_shard_size="1GB")
    model.config.dtype = dtype
    model.config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


class Meter(TrainerCallback):
    """Writes what is logged where people and `gem` can follow it."""

    def __init__(self, run: Path, max_cpu_minutes: float | None) -> None:
        self._path = run / "metrics.jsonl"
        self._spent = run / "cpu_seconds"
        self._limit_s = max_cpu_minutes * 60 if max_cpu_minutes else None
        self._values: dict[str, float] = {}
        self.first = self.tokens_before = 0
        self._began = 0.0

    def last(self, name: str) -> float | None:
        """The newest logged value of a metric; None if it was never logged."""
        return self._values.get(name)

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.first, self.tokens_before = state.global_step, state.num_input_tokens_seen
        spent = float(self._spent.read_text(encoding="utf-8")) if state.global_step and self._spent.exists() else 0.0
        self._began = time.process_time() - spent

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.is_world_process_zero:  # a resumed training has its remaining time
            whole_or_not(self._spent, f"{time.process_time() - self._began:.1f}")

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._limit_s and time.process_time() - self._began > self._limit_s:
            control.should_training_stop = True
        give_back_memory()

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        if not state.is_world_process_zero or not logs:
            return
        self._values |= logs
        row = {"step": state.global_step, "of": state.max_steps, "at": round(time.time(), 1), **logs}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        say(event="log", **row)


def give_back_memory() -> None:
    """Lets the allocator return freed memory: rows of different lengths fragment it on a CPU, by gigabytes an hour."""
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):  # glibc only
        trim(0)


def finish(run: Path, result: dict[str, Any]) -> None:
    """The result, whole or not at all."""
    whole_or_not(run / "result.json", json.dumps(result, indent=1))
    say(event="done", **result)


def whole_or_not(path: Path, text: str) -> None:
    """Writes a file that a kill cannot leave half written."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def say(**what: Any) -> None:
    """Prints one event as a JSON line for the parent process."""
    print(json.dumps(what), flush=True)


def complain(cause: str, fix: str) -> None:
    """Exits with an error that a person can fix."""
    print(f"gem: {cause.rstrip('.')}. {fix}", file=sys.stderr, flush=True)
    raise SystemExit(2)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
