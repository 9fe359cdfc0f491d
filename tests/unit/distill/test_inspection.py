"""A model's folder is data: what in it could run, lead elsewhere or use up the machine is refused, with its reason."""

import json
import os
import struct

import pytest

from gem_tasks.distill.inspection import templates
from gem_tasks.distill.inspection.inside import look
from gem_tasks.distill.inspection.refused import RefusedError
from gem_tasks.distill.inspection.repetition import dangerous

GPT_2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
TEMPLATE = (
    "{% for each in messages %}{% generation %}{{ each['role'] + each.content }}{% endgeneration %}\n{% endfor %}"
    "{% if tools %}{{ tools | tojson(indent=2) }}{% endif %}{% if add_generation_prompt %}assistant: {% endif %}"
)


def safetensors(header, data=b""):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


WEIGHTS = safetensors({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "__metadata__": {}}, b"\0" * 8)


def tokenizer(**parts):
    split = {"type": "Split", "pattern": {"Regex": GPT_2}, "behavior": "Isolated", "invert": False}
    return {"model": {"type": "BPE", "vocab": {}, "merges": []}, "pre_tokenizer": split, **parts}


@pytest.fixture
def folder(tmp_path):
    """A model's folder as publishers make them, notes of their own machine included."""
    place = tmp_path / "model"
    place.mkdir()
    files = {
        "config.json": {"architectures": ["Qwen3ForCausalLM"], "_name_or_path": "/home/author/model", "auto_map": None,
                        "num_hidden_layers": 36, "quantization_config": {"quant_method": "fp8"}},
        "generation_config.json": {"do_sample": True, "eos_token_id": [151645, 151643], "temperature": 0.6},
        "tokenizer_config.json": {"chat_template": [{"name": "default", "template": TEMPLATE}], "add_bos_token": False,
                                  "model_max_length": 10**30, "special_tokens_map_file": "/root/.cache/map.json",
                                  "tokenizer_file": "/home/author/tokenizer.json"},
        "tokenizer.json": tokenizer(),
        "model.safetensors.index.json": {"weight_map": {"a": "model-00001.safetensors"}},
        "preprocessor_config.json": {"time_step_limit": [0.0, float("inf")]},
        "vocab.json": {"a": 0},
    }  # fmt: skip
    for name, data in files.items():
        (place / name).write_text(json.dumps(data), encoding="utf-8")
    (place / "model-00001.safetensors").write_bytes(WEIGHTS)
    for name in ("chat_template.jinja", "README.md", "LICENSE", ".gitattributes", "merges.txt"):
        (place / name).write_text(TEMPLATE if name.endswith("jinja") else "text", encoding="utf-8")
    (place / ".cache").mkdir()
    (place / ".cache" / "lock").touch()
    return place


def refused(folder, **options):
    with pytest.raises(RefusedError) as error:
        look(folder, **options)
    return error.value.reason


def test_an_ordinary_model_is_loaded(folder):
    looked = []
    look(folder, tell=looked.append)
    assert {"config.json", "tokenizer.json", "chat_template.jinja", "model-00001.safetensors"} <= set(looked)


PICKLES = ("pytorch_model.bin", "adapter_model.bin", "training_args.bin", "optimizer.pt", "scheduler.pt",
           "rng_state.pth", "MODEL.BIN", "original/consolidated.00.pth", "weights.npz", "a.ckpt", "a.pkl")  # fmt: skip


@pytest.mark.parametrize("name", PICKLES)
def test_pickles_are_refused_unless_the_deployment_trusts(folder, name):
    (folder / "original").mkdir()
    (folder / name).write_bytes(b"\x80\x04.")
    assert refused(folder) == f"{name} can be a pickle, which runs code when it is read"
    look(folder, trusted=True)


@pytest.mark.parametrize("name", ["modeling_evil.py", "kernel.so", "setup.sh", "notebook.ipynb"])
def test_code_is_refused_unless_the_deployment_trusts(folder, name):
    (folder / name).write_text("x")
    assert refused(folder) == f"{name} is code"
    look(folder, trusted=True)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("model.gguf", "model.gguf is GGUF, which GEM does not serve"),
     ("model.onnx", "model.onnx is not a file that models need"),
     ("adapter_config.json", "it is an adapter, which loads its base from elsewhere")],
)  # fmt: skip
def test_what_no_server_of_gem_needs_is_refused_even_where_code_is_trusted(folder, name, reason):
    (folder / name).write_text('{"base_model_name_or_path": "/etc"}')
    assert refused(folder, trusted=True) == reason


def test_links_lead_nowhere_but_to_the_hub_s_files(folder, tmp_path):
    blobs = tmp_path / "blobs"
    blobs.mkdir()
    (blobs / "abc").write_text("{}")
    (folder / "extra.json").symlink_to("../blobs/abc")
    look(folder, blobs)
    assert refused(folder) == "extra.json is a link out of the folder"
    for target in ("/etc/passwd", "../../blobs/abc", "/nowhere", "/etc"):
        (folder / "link.json").symlink_to(target)
        assert refused(folder, shared=blobs) == "link.json is a link out of the folder"
        (folder / "link.json").unlink()


def test_pipes_and_crowds_are_refused_without_waiting(folder):
    os.mkfifo(folder / "pipe.json")
    assert refused(folder) == "pipe.json is neither a file nor a folder"
    (folder / "pipe.json").unlink()
    (folder / "a/b/c/d/e/f/g").mkdir(parents=True)
    assert refused(folder) == "it holds over 10000 files, or 6 folders in a row"


def test_a_file_that_is_too_large_is_not_read(folder):
    with (folder / "tokenizer.json").open("r+b") as file:
        file.truncate(65 << 20)
    assert refused(folder) == f"tokenizer.json has {65 << 20} bytes; the limit is {64 << 20}"


SETTINGS = [
    ("config.json", {"auto_map": {"AutoModel": "evil.Model"}}, "config.json sets auto_map.AutoModel, which loads code"),
    ("config.json", {"text_config": {"auto_map": {"AutoModel": "a/b--evil.Model"}}},
     "config.json sets text_config.auto_map.AutoModel, which loads code"),
    ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["evil.X", None]}},
     "tokenizer_config.json sets auto_map.AutoTokenizer, which loads code"),
    ("generation_config.json", {"custom_generate": "a/b"},
     "generation_config.json sets custom_generate, which loads code"),
    ("config.json", {"_attn_implementation": "owner/kernel"},
     "config.json sets _attn_implementation to owner/kernel, which loads code"),
    ("config.json", {"speculators_config": {"verifier": {"name_or_path": "/srv/other"}}},
     "config.json sets speculators_config.verifier.name_or_path, which loads another model"),
    ("config.json", {"quantization_config": {"quant_method": "torchao"}},
     "config.json sets quantization_config.quant_method to an unknown method: torchao"),
    ("config.json", {"transformers_weights": "../other/model.safetensors"},
     "config.json sets transformers_weights to a place outside its folder"),
    ("tokenizer_config.json", {"vocab_file": "/etc/passwd"},
     "tokenizer_config.json sets vocab_file to a place outside its folder"),
    ("tokenizer_config.json", {"vocab_file": "file:///etc/passwd"},
     "tokenizer_config.json sets vocab_file to a place outside its folder"),
    ("config.json", {"num_hidden_layers": 10**9},
     "config.json sets num_hidden_layers to 1000000000; the limit is 1024"),
    ("generation_config.json", {"num_beams": 10_000},
     "generation_config.json sets num_beams to 10000; the limit is 64"),
    ("generation_config.json", {"max_new_tokens": 10**20},
     "generation_config.json sets max_new_tokens to an absurd number; the limit is 10000000"),
    ("generation_config.json", {"max_new_tokens": 10**400},
     "generation_config.json sets max_new_tokens to an absurd number; the limit is 10000000"),
    ("generation_config.json", {"temperature": float("nan")},
     "generation_config.json sets temperature to an absurd number; the limit is 10000000"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "settings", "reason"), SETTINGS)
def test_settings_that_load_code_lead_elsewhere_or_ask_for_too_much(folder, name, settings, reason):
    (folder / name).write_text(json.dumps(settings))
    assert refused(folder) == reason


def test_a_file_that_is_not_json_is_refused_whatever_its_depth(folder):
    for text in ("[" * 500_000, "{", "\xff"):
        (folder / "config.json").write_text(text, encoding="latin-1")
        assert refused(folder) == "config.json is not JSON"


FALSE_HEADERS = {
    "longer than the file": struct.pack("<Q", 1 << 40) + b"{}",
    "too short to have one": b"\0\0",
    "not an object": struct.pack("<Q", 2) + b"[]",
    "deep": struct.pack("<Q", 200_000) + b"[" * 200_000,
    "beyond the file": safetensors({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}, b"\0" * 8),
    "another size than its shape": safetensors(
        {"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 8]}}, b"\0" * 8
    ),
    "overflowing": safetensors({"a": {"dtype": "F32", "shape": [1 << 62, 4], "data_offsets": [0, 0]}}),
    "negative": safetensors({"a": {"dtype": "U8", "shape": [-8], "data_offsets": [8, 0]}}, b"\0" * 8),
    "twice": safetensors({name: {"dtype": "U8", "shape": [8], "data_offsets": [0, 8]} for name in "ab"}, b"\0" * 8),
    "unknown kind": safetensors({"a": {"dtype": "OBJECT", "shape": [8], "data_offsets": [0, 8]}}, b"\0" * 8),
    "something behind": WEIGHTS + b"\x80\x04.",
}


@pytest.mark.parametrize("why", FALSE_HEADERS)
def test_a_safetensors_file_with_a_false_header_is_refused(folder, why):
    (folder / "model-00001.safetensors").write_bytes(FALSE_HEADERS[why])
    assert "model-00001.safetensors" in refused(folder)


@pytest.mark.parametrize(
    "named", ["../other/model.safetensors", "/srv/a.safetensors", ".hidden.safetensors", "vocab.json"]
)
def test_an_index_names_files_of_its_folder_only(folder, named):
    (folder / ".hidden.safetensors").write_bytes(WEIGHTS)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": named}}))
    assert refused(folder) == f"model.safetensors.index.json names {named}, which is not one of its safetensors files"


INSIDES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ ''['__class__'] }}",
    "{{ ''|attr('__class__') }}",
    "{% if messages[0].content == 'a secret word' %}{{ lipsum.__globals__ }}{% endif %}",
    "{% set x = '_' ~ '_class_' ~ '_' %}{{ ''[x].mro() }}",
    "{{ '{0.__class__.__mro__}'.format(1) }}",
]
BOMBS = [
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
    "{% for a in range(10 ** 9) %}{% endfor %}",
    "{{ 'a' * 10 ** 15 }}",
    "{{ 'a' * 2 ** 21 }}",
    "{{ '%999999999999999d' % 1 }}",
]


@pytest.mark.parametrize("text", INSIDES)
@pytest.mark.parametrize(
    "place", ["chat_template.jinja", "additional_chat_templates/tool.jinja", "tokenizer_config.json"]
)
def test_templates_that_reach_for_python_are_refused_wherever_they_are(folder, text, place):
    (folder / place).parent.mkdir(exist_ok=True)
    written = text if place.endswith("jinja") else json.dumps({"chat_template": {"tool_use": text}})
    (folder / place).write_text(written)
    assert refused(folder) == f"the template in {place} reaches for Python's insides"


@pytest.mark.parametrize("text", BOMBS)
def test_templates_that_use_up_time_or_memory_are_refused(folder, text, monkeypatch):
    monkeypatch.setattr(templates, "_CPU_S", 0.2)
    (folder / "chat_template.jinja").write_text(text)
    assert refused(folder).startswith("the template in chat_template.jinja ")


@pytest.mark.parametrize("text", ["{% include '/etc/passwd' %}", "{% import 'x' as y %}", "{% extends 'x' %}"])
def test_templates_that_read_others_are_refused(folder, text):
    (folder / "chat_template.jinja").write_text(text)
    assert refused(folder) == "the template in chat_template.jinja reads another template"


def test_a_template_may_refuse_a_conversation(folder):
    (folder / "chat_template.jinja").write_text("{{ raise_exception('system prompts are not supported') }}")
    look(folder)


@pytest.mark.parametrize(
    "pattern",
    [r"(a+)+$", r"(a|a)*b", r"((a*)b?)*c", r"(?:x+x+)+y", r"(.*)\1", r"(a{1,})*b", r"a+*", r"(a?){50}a{50}",
     r"(\p{L}+)*$", r"(?<x>a+)+", r"(a|aa){20,}", r"[^]]*(?:[a\]]*)*", r"\s*" * 7 + "x", "a" * 20_001],
)  # fmt: skip
def test_a_pattern_that_can_take_exponential_time_is_refused(folder, pattern):
    split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated"}
    for part in ({"pre_tokenizer": {"type": "Sequence", "pretokenizers": [split]}}, {"normalizer": split}):
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer(**part)))
        assert refused(folder).startswith("a pattern in tokenizer.json ")


@pytest.mark.parametrize(
    "pattern",
    [GPT_2, r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+",
     r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{M}]*[\p{Ll}\p{M}]+(?i:'s|'t)?|[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+",
     r"\d{1,3}(?=(?:\d{3})*\b)", r" ?[^(\s|[.,!?…。，、।۔،])]+", r"(?:\r?\n)+(?!\r?\n)", r"[一-龥]+", r"a++b*?c?+"],
)  # fmt: skip
def test_patterns_of_published_models_are_not(pattern):
    assert dangerous(pattern) == ""


def test_a_tokenizer_that_multiplies_or_pads_is_refused(folder):
    grow = {"type": "Replace", "pattern": {"String": "a"}, "content": "aaaaaaaaaa"}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer(normalizer={"normalizers": [grow] * 9})))
    assert refused(folder) == "replacements in tokenizer.json multiply the length of a text"
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer(padding={"strategy": {"Fixed": 10**12}})))
    assert refused(folder) == f"tokenizer.json pads to {10**12} tokens"
