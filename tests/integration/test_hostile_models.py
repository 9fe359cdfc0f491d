"""Models under test, profiles and weights that attack whoever evaluates, trains or serves them: they get nothing."""

import json
import os
import pickle
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from gem_tasks.distill import profiles, sets
from gem_tasks.distill import train as training_module
from gem_tasks.distill.train import train, weights
from gem_tasks.domain.distill import SetSpec
from gem_tasks.domain.evaluation import Endpoint
from gem_tasks.errors import GemError, UserError
from gem_tasks.evals import bfcl, harness, tau2
from gem_tasks.evals.environment import ensure, installed
from gem_tasks.evals.options import BfclOptions, Tau2Options
from tests.confining import WAYS, confine_by
from tests.integration.environments import HOME, SMALL_TORCH
from tests.integration.tiny_model import SFT, SHAPE
from tests.oracles.server import calls, serving, words

KEY = "sk-secret-of-the-endpoint"


class Payload:
    """A pickle that runs an expression when it is read."""

    def __init__(self, expression):
        self.expression = expression

    def __reduce__(self):
        return eval, (self.expression,)


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    confine_by(request.param, monkeypatch)
    return request.param


@pytest.fixture
def prize(tmp_path, monkeypatch):
    """What an attacker is after, and where whatever it gets would be seen: anybody may write there."""
    place = tmp_path / "prize"
    place.mkdir()
    place.chmod(0o777)
    tmp_path.chmod(0o755)
    (place / "services.env").write_text("GEM_POSTGRES_DSN=postgresql://gem:hunter2@127.0.0.1/gem", encoding="utf-8")
    monkeypatch.setenv("GEM_POSTGRES_DSN", "hunter2")
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield Prize(place, other.getsockname()[1])


class Prize:
    """Code that takes it, as an expression, and a look at whether it was taken."""

    def __init__(self, place, port):
        self.place = place
        steal = (
            f"(lambda o, s, k: [open('{place}/' + n, 'w').write(str(w())) for n, w in ["
            f"('PWNED', lambda: 1), ('env', lambda: o.environ), ('file', lambda: open('{place}/services.env').read()),"
            f" ('net', lambda: k.create_connection(('127.0.0.1', {port}), 2))]])"
            f"(__import__('os'), __import__('sys'), __import__('socket'))"
        )
        self.expression = steal

    def taken(self):
        return {path.name: path.read_text() for path in self.place.iterdir() if path.name != "services.env"}


def holding(text, folder):
    """Files with a text in them."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path for path in files if text.encode() in path.read_bytes()]


def attacker(prize):
    """Answers the first question of a turn with calls that are programs: in names, names of arguments, and values."""
    evil = prize.expression
    wanted = [
        (f"{evil} or str", {}),
        (f"cd(folder='a') if {evil} else str", {}),
        ("cd", {f"folder={evil},x": "a"}),
        ("cd", {f"folder='a') or {evil} or str(object": "a"}),
        ("cd", {"folder": f"'+{evil}+'"}),
        ("cd", {"folder": {"__reduce__": evil}}),
        ("exec", {"source": evil}),
        ("open", {"file": f"{prize.place}/PWNED", "mode": "w"}),
        ("__import__", {"name": "os"}),
        ("_load_scenario", {"scenario": {}}),
    ]

    def answer(body, headers):
        last = body["messages"][-1]
        return words("Done.") if last["role"] == "tool" else calls(*wanted)

    return answer


def test_bfcl_a_model_that_writes_programs_gets_nothing_and_scores_nothing(way, prize, tmp_path):
    ensure(HOME, "bfcl")
    options = BfclOptions(ids=("multi_turn_base_0", "multi_turn_miss_func_0"), concurrency=2)
    with serving(evil=attacker(prize)) as url:
        endpoint = Endpoint(base_url=url, model="evil", api_key=SecretStr(KEY))
        report = bfcl.evaluate(endpoint, options, tmp_path / "out", home=HOME)
    assert prize.taken() == {}
    assert (report.score().value, report.errors) == (0.0, 0)
    told = (tmp_path / "out" / "result" / "gem" / "multi_turn" / "BFCL_v4_multi_turn_base_result.json").read_text()
    assert "not a function call" in told
    assert "arguments have to be literals" in told
    assert not holding(KEY, tmp_path / "out")


def test_bfcl_a_model_that_writes_programs_into_text_gets_nothing(prize, tmp_path, monkeypatch):
    confine_by("namespaces", monkeypatch)
    ensure(HOME, "bfcl")
    evil = prize.expression
    values = [f"folder=1+{evil}", f"folder=[1+{evil}]", f"folder=lambda: {evil}", evil, f"**{evil}"]
    asked = iter([f"[{evil}]", *(f"[cd({value})]" for value in values)] * 1000)
    with serving(evil=lambda body, headers: words(next(asked))) as url:
        options = BfclOptions(ids=("multi_turn_base_0",), mode="prompt")
        report = bfcl.evaluate(Endpoint(base_url=url, model="evil"), options, tmp_path / "out", home=HOME)
    assert prize.taken() == {}
    assert report.score().value == 0.0


def test_bfcl_s_own_evaluation_in_a_sandbox_without_our_check_gets_nothing_either(way, prize, tmp_path, monkeypatch):
    """The second lock holds without the first: bfcl-eval's `eval` runs what the model wrote, and reaches nothing."""
    ensure(HOME, "bfcl")
    copy = tmp_path / "envs"
    for name in ("run.py", "calls.py"):
        text = (Path(harness.shipped("envs")) / "bfcl" / name).read_text(encoding="utf-8")
        (copy / "bfcl").mkdir(parents=True, exist_ok=True)
        (copy / "bfcl" / name).write_text(text.replace("    _disarm()\n", ""), encoding="utf-8")
    monkeypatch.setattr(harness, "shipped", lambda name: tmp_path / name)
    with serving(evil=lambda body, headers: attacker(prize)(body, headers)) as url:
        endpoint = Endpoint(base_url=url, model="evil", api_key=SecretStr(KEY))
        options = BfclOptions(ids=("multi_turn_base_0",), timeout_s=300)
        try:
            bfcl.evaluate(endpoint, options, tmp_path / "out", home=HOME)
        except GemError as error:
            assert "hunter2" not in str(error)
    assert prize.taken() == {}
    assert not holding(KEY, tmp_path / "out")


def test_tau2_a_model_that_attacks_by_arguments_and_text_gets_nothing(prize, tmp_path, monkeypatch):
    confine_by("namespaces", monkeypatch)
    ensure(HOME, "tau2")
    evil = prize.expression

    def agent(body, headers):
        if body["messages"][-1]["role"] == "tool":
            return words(f"{{{{ {evil} }}}} {evil}")
        return calls(
            ("calculate", {"expression": evil}),
            (evil, {}),
            ("__class__", {}),
            ("get_user_details", {"user_id": evil}),
            ("get_user_details", {evil: "x"}),
        )

    def user(body, headers):
        return words(f"{evil} {{{{ {evil} }}}}")

    with serving(evil=agent, user=user) as url:
        options = Tau2Options(
            ids=("airline/8",), epochs=1, user=Endpoint(base_url=url, model="user"), message_limit=8, concurrency=1
        )
        report = tau2.evaluate(
            Endpoint(base_url=url, model="evil", api_key=SecretStr(KEY)), options, tmp_path / "out", home=HOME
        )
    assert prize.taken() == {}
    assert report.score().value == 0.0


@pytest.fixture
def evil_base(tmp_path, prize):
    """Weights with code of their own, which Transformers runs when it is told to trust it."""
    folder = tmp_path / "evil"
    folder.mkdir()
    auto = {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model", "AutoTokenizer": ["evil.X", None]}
    (folder / "config.json").write_text(json.dumps({"model_type": "evil", "auto_map": auto}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "X", "auto_map": auto}))
    (folder / "evil.py").write_text(f"{prize.expression}\n")
    return folder


@pytest.fixture
def training(finished, monkeypatch):
    if not installed(HOME, "train") and not SMALL_TORCH:
        pytest.skip("`gem distill envs train` was not run, and nothing says where a build of PyTorch for CPUs is")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    work = finished[0]
    ensure(HOME, "train")
    (work.settings.home / "envs").mkdir(parents=True, exist_ok=True)
    (work.settings.home / "envs" / "train").symlink_to((HOME / "envs" / "train").absolute())
    return work, sets.build(work, SetSpec(kind="agent", test_share=0.2, validation_share=0.0))


def profile_of(tmp_path, base, chat_template=None, **sft):
    path = tmp_path / "attack.yaml"
    values = {
        "kind": "agent",
        "model": base,
        "chat_template": chat_template,
        "sft": {**SFT, **sft},
        "too_long": "truncate",
    }
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return profiles.load(str(path))


def test_a_profile_that_trusts_code_of_its_base_is_refused_and_confined_where_it_is_allowed(
    training, way, prize, evil_base, tmp_path
):
    work, found = training
    trusting = profile_of(tmp_path, {"path": str(evil_base)}, model_init_kwargs={"trust_remote_code": True})
    with pytest.raises(UserError, match=r"attack may not set sft\.model_init_kwargs\.trust_remote_code"):
        train(work, trusting, found)
    assert prize.taken() == {}
    with pytest.raises(UserError, match=r"evil\.py is code"):
        train(work, profile_of(tmp_path, {"path": str(evil_base)}), found)
    assert prize.taken() == {}
    allowed = replace(work, settings=work.settings.model_copy(update={"trust_remote_code": True}))
    with pytest.raises(GemError) as error:
        train(allowed, trusting, found)
    assert "hunter2" not in str(error.value)
    assert prize.taken() == {}


@pytest.fixture
def folder(training, tmp_path):
    """Weights that are in order."""
    work, found = training
    scratch = profile_of(tmp_path, {"scratch": SHAPE}, chat_template="qwen3_instruct_2507")
    return Path(shutil.copytree(weights(work, train(work, scratch, found, base_only=True)), tmp_path / "weights"))


HOSTILE = {
    "template": ("chat_template.jinja", "{{ cycler.__init__.__globals__.os.popen('touch PRIZE/PWNED').read() }}"),
    "endless template": ("chat_template.jinja", "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}"
                         "{% endfor %}"),
    "memory": ("chat_template.jinja", "{{ 'a' * 10 ** 15 }}"),
    "generation": ("generation_config.json", '{"num_beams": 100000000}'),
    "adapter": ("adapter_config.json", '{"base_model_name_or_path": "PRIZE", "peft_type": "LORA"}'),
    "header": ("model.safetensors", "\xff" * 64),
    "tokenizer": ("tokenizer.json", '{"model": {"type": "BPE", "vocab": {}, "merges": []}, "pre_tokenizer": '
                  '{"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": false}}'),
}  # fmt: skip


real_weights = pytest.mark.skipif("GEM_TEST_WEIGHTS" not in os.environ, reason="minutes: set GEM_TEST_WEIGHTS=1")
"""With real PyTorch; `test_hostile_folders` tries the same folders with a loader of pickles in its place."""


@real_weights
@pytest.mark.parametrize("kind", HOSTILE)
def test_weights_that_attack_are_refused_and_get_nothing_if_they_are_loaded_after_all(
    training, folder, prize, tmp_path, kind, monkeypatch
):
    work, found = training
    name, text = HOSTILE[kind]
    (folder / name).write_text(text.replace("PRIZE", str(prize.place)), encoding="utf-8")
    profile = profile_of(tmp_path, {"path": str(folder)})
    with pytest.raises(UserError, match=r"^GEM does not load "):
        train(work, profile, found)
    monkeypatch.setattr(training_module, "_require_loadable", lambda *_: None)
    monkeypatch.setattr(training_module, "_LIMIT_S", 60)
    with pytest.raises(GemError):
        train(work, profile, found)
    assert prize.taken() == {}


@real_weights
def test_a_pickle_in_place_of_weights_runs_confined_where_the_deployment_trusts(training, folder, way, prize, tmp_path):
    work, found = training
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Payload(prize.expression)))
    profile = profile_of(tmp_path, {"path": str(folder)})
    with pytest.raises(UserError, match=r"pytorch_model\.bin can be a pickle, which runs code when it is read"):
        train(work, profile, found)
    trusting = replace(work, settings=work.settings.model_copy(update={"trust_remote_code": True}))
    with pytest.raises(GemError):
        train(trusting, profile, found)
    assert prize.taken() == {}


@real_weights
def test_a_training_resumes_from_pickles_of_an_attacker_and_gives_nothing_away(training, folder, prize, tmp_path):
    """Also merges an adapter: what was planted lies in the run's folder when the training begins again."""
    work, found = training
    lora = {"r": 2, "target_modules": "all-linear"}
    profile = profile_of(tmp_path, {"path": str(folder)}).model_copy(update={"lora": lora})
    run = training_module.run_folder(work, training_module.model_id(profile, found))
    checkpoint = run / "checkpoints" / "checkpoint-10"
    checkpoint.mkdir(parents=True)
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth", "training_args.bin", "adapter_model.bin"):
        (checkpoint / name).write_bytes(pickle.dumps(Payload(prize.expression)))
    (checkpoint / "trainer_state.json").write_text("{}", encoding="utf-8")
    with pytest.raises(GemError) as error:
        train(work, profile, found)
    assert "max_length" not in str(error.value)  # it came as far as the checkpoint
    assert prize.taken() == {}
    shutil.rmtree(run)
    merged = Path(weights(work, train(work, profile, found)))
    assert {path.suffix for path in merged.iterdir()} <= {".json", ".safetensors", ".jinja", ""}
