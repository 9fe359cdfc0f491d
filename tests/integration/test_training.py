"""A real, tiny training with TRL: a kill costs no more than one checkpoint's steps, what can be fixed is one line."""

import json
import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from gem_tasks.distill import profiles, sets
from gem_tasks.distill.train import model_id, run_folder, train, weights
from gem_tasks.domain.distill import SetSpec
from gem_tasks.errors import UserError
from gem_tasks.evals.environment import ensure, installed
from gem_tasks.resources import shipped
from tests.integration.environments import SMALL_TORCH
from tests.integration.tiny_model import SFT, SHAPE

HOME = Path(__file__).parents[2] / ".gem"
SHIPPED = shipped("envs") / "train"

pytestmark = pytest.mark.skipif(
    not installed(HOME, "train") and not SMALL_TORCH,
    reason="`gem distill envs train` was not run, and nothing says where a build of PyTorch for CPUs is",
)


class KilledError(Exception):
    """Ends a training from without, as a lost machine would: its process gets SIGKILL."""


@pytest.fixture
def work(finished):
    work = finished[0]
    ensure(HOME, "train")
    (work.settings.home / "envs").mkdir(parents=True, exist_ok=True)
    (work.settings.home / "envs" / "train").symlink_to((HOME / "envs" / "train").absolute())
    return work


@pytest.fixture
def profile(tmp_path):
    """Writes a profile of a model with a few thousand parameters, with changes, and reads it."""

    def made(name, **changes):
        values = {
            "kind": "agent",
            "model": {"scratch": SHAPE},
            "chat_template": "qwen3_instruct_2507",
            "too_long": "truncate",
            "sft": SFT,
            "set": {"test_share": 0.2, "validation_share": 0.0},
        }
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump({**values, **changes}), encoding="utf-8")
        return profiles.load(str(path))

    return made


def digest(folder):
    return sha256((Path(folder) / "model.safetensors").read_bytes()).hexdigest()


def tensors(folder):
    """Names, types and shapes: the header of a safetensors file."""
    with (Path(folder) / "model.safetensors").open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return {name: (each["dtype"], each["shape"]) for name, each in header.items() if name != "__metadata__"}


def kill_at(step):
    def progress(what, done, total):
        if what.startswith("train: loss") and done >= step:
            raise KilledError

    return progress


def test_a_killed_training_goes_on_from_its_checkpoint_to_the_same_weights_and_an_adapter_is_merged(work, profile):
    found = sets.build(work, SetSpec(kind="agent", test_share=0.2, validation_share=0.0))
    killed, whole = profile("killed"), profile("whole", sft={**SFT, "save_total_limit": 3})
    with pytest.raises(KilledError):
        train(work, killed, found, progress=kill_at(11))
    folder = run_folder(work, model_id(killed, found))
    reached = json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])["step"]
    again, straight = train(work, killed, found), train(work, whole, found)
    resumed = int(again.metrics["resumed_from"].removeprefix("checkpoint-"))
    assert 0 <= reached - resumed <= SFT["save_steps"]
    assert again.metrics["steps_here"] == SFT["max_steps"] - resumed
    assert straight.metrics["resumed_from"] is None
    assert digest(weights(work, again)) == digest(weights(work, straight))
    assert list((folder / "tensorboard").glob("events*"))
    assert train(work, killed, found, progress=kill_at(0)).model_id == again.model_id  # found, not trained again

    lora = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear"}
    base = weights(work, straight)
    adapted = train(work, profile("adapted", model={"path": base}, lora=lora), found)
    served = Path(weights(work, adapted))
    assert digest(served) != digest(base)
    assert not list(served.glob("adapter*"))


@pytest.mark.skipif("GEM_TEST_TWO_PROCESSES" not in os.environ, reason="a minute: set GEM_TEST_TWO_PROCESSES=1")
def test_training_over_two_processes_goes_on_and_leaves_the_same_tensors_as_one(work, profile, tmp_path):
    found = sets.build(work, SetSpec(kind="agent", test_share=0.2, validation_share=0.0))
    alone = profile("alone", sft={**SFT, "max_steps": 2, "save_steps": 1})
    model = train(work, alone, found)
    job = json.loads((run_folder(work, model.model_id) / "job.json").read_text())
    config = yaml.safe_load((SHIPPED / "accelerate" / "fsdp2.yaml").read_text())
    (tmp_path / "cpu.yaml").write_text(yaml.safe_dump({**config, "use_cpu": True}))
    half = shutil.copytree(weights(work, model), tmp_path / "half")
    settings = json.loads((half / "config.json").read_text())
    (half / "config.json").write_text(json.dumps({**settings, "dtype": "bfloat16"}))
    job["model"] = {"path": str(half)}

    def sharded(steps):
        job.update(run=str(tmp_path / "run"), sft={**job["sft"], "max_steps": steps, "bf16": True})
        (tmp_path / "run").mkdir(exist_ok=True)
        (tmp_path / "job.json").write_text(json.dumps(job))
        launch = ["launch", "--config_file", tmp_path / "cpu.yaml", "--num_processes", "2"]
        command = [ensure(HOME, "train").with_name("accelerate"), *launch, SHIPPED / "sft.py", tmp_path / "job.json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads((tmp_path / "run" / "result.json").read_text())

    assert sharded(1)["resumed_from"] is None
    assert sharded(2)["resumed_from"] == "checkpoint-1"
    made, of_one = tensors(tmp_path / "run" / "model"), tensors(weights(work, model))
    assert {name: shape for name, (_, shape) in made.items()} == {name: shape for name, (_, shape) in of_one.items()}
    assert {kind for kind, _ in made.values()} == {"BF16"}  # as the base has it, though it was trained in float32


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": {"path": "/nowhere"}}, "Cannot get the weights of /nowhere"),
        ({"sft": {**SFT, "max_length": 32}}, "no row keeps an assistant answer"),
        ({"sft": {**SFT, "max_length": 32}, "too_long": "drop"}, "rows are longer than max_length=32"),
        ({"sft": {**SFT, "use_cpu": False, "bf16": True}}, "but this machine has none"),
        ({"sft": {**SFT, "warmup_ration": 0.1}}, "section `sft` is invalid"),
    ],
)
def test_what_a_person_can_mend_is_one_line(work, profile, changes, said, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    found = sets.build(work, SetSpec(kind="agent", test_share=0.2, validation_share=0.0))
    with pytest.raises(UserError, match=said):
        train(work, profile("wrong", **changes), found)
