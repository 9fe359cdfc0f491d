"""A profile is data: what loads code or leads elsewhere is refused, and nothing is told of a file that is none."""

import pytest
import yaml

from gem_tasks.distill import profiles
from gem_tasks.distill.experiment import options_of, plan
from gem_tasks.distill.steps import admit_run
from gem_tasks.distill.trust import refuse_code
from gem_tasks.errors import UserError
from gem_tasks.settings import Settings

PLAIN = {"kind": "agent", "model": {"path": "org/base"}, "sft": {"max_steps": 1}}
LOADS = [
    {"sft": {"model_init_kwargs": {"trust_remote_code": True}}},
    {"sft": {"trust_remote_code": True}},
    {"sft": {"Trust_Remote_Code": "yes"}},
    {"sft": {"model_init_kwargs": {"config": {"deep": [{"trust_remote_code": 1}]}}}},
    {"sft": {"processor_kwargs": {"tokenizer": {"trust_remote_code": True}}}},
    {"sft": {"model_init_kwargs": {"attn_implementation": "kernels-community/flash-attn"}}},
    {"sft": {"model_init_kwargs": {"attn_implementation": "kernels-community"}}},
    {"sft": {"model_init_kwargs": {"_attn_implementation": "evil:forward"}}},
    {"sft": {"model_init_kwargs": {"use_kernels": True}}},
    {"sft": {"model_init_kwargs": {"code_revision": "main"}}},
    {"sft": {"model_init_kwargs": {"auto_map": {"AutoModel": "evil.Model"}}}},
    {"sft": {"model_init_kwargs": '{"trust_remote_code": true}'}},
    {"sft": {"model_init_kwargs": ' [{"trust_remote_code": true}]'}},
    {"sft": {"model_init_kwargs": {"weights_only": False}}},
    {"sft": {"model_init_kwargs": {"use_safetensors": False}}},
    {"sft": {"torchdynamo": "evil"}},
    {"lora": {"megatron_config": {"a": 1}, "megatron_core": "evil"}},
    {"sft": {"custom_generate": "org/generate"}},
    {"sft": {"generation_kwargs": {"custom_generate": "x"}}},
    {"sft": {"callbacks": ["os.system"]}},
    {"sft": {"report_to": ["os.system"]}},
    {"sft": {"torch_compile_backend": "evil.backend"}},
    {"sft": {"deepspeed": "/etc/passwd"}},
    {"sft": {"chat_template_path": "../../secret.jinja"}},
    {"sft": {"resume_from_checkpoint": True}},
    {"sft": {"push_to_hub": True}},
    {"sft": {"hub_token": "x"}},
    {"sft": {"logging_dir": "~/x"}},
    {"sft": {"optim": "evil:Optimizer"}},
    {"lora": {"auto_mapping": {"parent_library": "os.path", "base_model_class": "x"}}},
    {"lora": {"corda_config": {"cache_file": "/tmp/x.pt"}}},
]
HARMLESS = [
    {"sft": {"model_init_kwargs": {"trust_remote_code": False, "attn_implementation": "sdpa", "dtype": "bfloat16"}}},
    {"sft": {"optim": "adamw_torch_fused", "lr_scheduler_type": "cosine", "learning_rate": 5e-6}},
    {"sft": {"report_to": ["tensorboard"], "fsdp_config": {"activation_checkpointing": True}}},
    {"lora": {"r": 4, "target_modules": ["model.layers.0.q_proj", "v_proj"], "rank_pattern": {"a.b": 4}}},
    {"lora": {"target_modules": r".*\.(q|v)_proj"}},
]  # fmt: skip


@pytest.fixture
def written(tmp_path):
    def write(text, name="mine"):
        path = tmp_path / f"{name}.yaml"
        path.write_text(text if isinstance(text, str) else yaml.safe_dump(text), encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("changes", LOADS, ids=str)
def test_what_loads_code_or_leads_elsewhere_is_refused_unless_the_deployment_trusts(written, changes):
    found = profiles.load(str(written({**PLAIN, **changes})))
    with pytest.raises(UserError, match=r"mine may not set (sft|lora)\..*: it loads code") as error:
        refuse_code(found, trusted=False)
    for value in ("evil", "passwd", "secret", "kernels-community"):
        assert value not in str(error.value).replace("custom_generate", "")
    refuse_code(found, trusted=True)


@pytest.mark.parametrize("changes", HARMLESS, ids=str)
def test_what_only_sets_is_allowed(written, changes):
    refuse_code(profiles.load(str(written({**PLAIN, **changes}))), trusted=False)


@pytest.mark.parametrize("name", profiles.names())
def test_shipped_profiles_load_no_code(name):
    refuse_code(profiles.load(name), trusted=False)


@pytest.mark.parametrize(
    "name", ["evil.yaml", "/etc/passwd", "../smoke", "sub/evil", "evil.yml", "smoke.yaml", "", "smoke\n", "."]
)
def test_a_run_names_a_profile_and_never_a_file(written, monkeypatch, tmp_path, name):
    written(PLAIN, "evil")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="There is no training profile"):
        plan(options_of({"profile": name}))


def test_the_deployment_s_own_profiles_are_named_like_ours_and_kept_in_the_plan(written, tmp_path):
    path = written({**PLAIN, "sft": {"max_steps": 7}})
    planned = plan(options_of({"profile": "mine", "seed": 3}), folder=tmp_path)
    path.unlink()
    assert (planned.profile.sft, planned.profile.seed) == ({"max_steps": 7}, 3)
    assert type(planned).model_validate_json(planned.model_dump_json()).profile == planned.profile
    with pytest.raises(UserError, match="GEM_PROFILES"):
        plan(options_of({"profile": "mine"}))


@pytest.mark.parametrize(
    "text",
    [
        "password: hunter2\n",
        "SECRETLINE password: hunter2\n\t- x: [",
        "hunter2",
        "- hunter2\n",
        "kind: hunter2\nmodel: {path: hunter2, hunter2: 1}\nsft: hunter2\n",
        "kind: agent\nmodel: {path: a}\nsft: {}\nhunter2: 1\n",
        "kind: agent\nmodel: {path: a}\nsft: {}\nname: ../../hunter2\n",
        "kind: agent\nmodel: {path: a}\nsft: {}\nchat_template: ../../hunter2\n",
        "kind: agent\nmodel: {path: a}\nsft: {}\nset: {size: hunter2}\n",
        "? {hunter2: 1}\n: 2\n",
        "a: &x [hunter2]\nb: [*x, *x]\n",
        "x: " + "hunter2" * 20_000,
        "!!python/object/apply:os.system [hunter2]",
        "[" * 3000 + "hunter2",
        "sft: " + "[" * 99_000 + "hunter2",
    ],
)
def test_a_file_that_is_no_profile_is_refused_without_a_word_of_it(written, text):
    with pytest.raises(UserError) as error:
        profiles.load(str(written(text)))
    assert "hunter2" not in str(error.value)
    assert "SECRETLINE" not in str(error.value)


@pytest.mark.parametrize("model", ["/etc", "weights", "../weights", "~/weights", "file:///etc"])
def test_a_run_takes_weights_from_folders_of_the_deployment_only(tmp_path, monkeypatch, model):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights").mkdir()
    (tmp_path / "link").symlink_to("/etc")
    planned = plan(options_of({"model": model}))
    for roots in ("", str(tmp_path / "other")):
        with pytest.raises(UserError, match="Runs may not load weights"):
            admit_run(planned, Settings(model_roots=roots))
    with pytest.raises(UserError, match="Runs may not load weights"):
        admit_run(plan(options_of({"model": str(tmp_path / "link")})), Settings(model_roots=str(tmp_path)))
    admit_run(plan(options_of({"model": str(tmp_path / "weights")})), Settings(model_roots=str(tmp_path)))
    admit_run(plan(options_of({"model": "Qwen/Qwen3-8B"})), Settings())
