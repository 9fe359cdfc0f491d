"""A Qwen3 of any size from nothing: a tokenizer trained on the set, random weights, the template that TRL knows.

It exists so that the whole way can be run where no weights can be had. What it learns in minutes is form, not sense.
"""

import importlib.resources
import json
from collections.abc import Iterator
from pathlib import Path

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import GenerationConfig, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

END, PAD = "<|im_end|>", "<|endoftext|>"
SPECIAL = [PAD, "<|im_start|>", END]
# As in Qwen3 these survive decoding without special tokens: a server has to find the calls.
VISIBLE = ["<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>"]
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def template(name: str) -> str:
    """A chat template by TRL's name for it."""
    return importlib.resources.files("trl").joinpath("chat_templates", f"{name}.jinja").read_text(encoding="utf-8")


def build(folder: Path, train: Path, shape: dict[str, int], chat_template: str, seed: int) -> None:
    """Writes tokenizer and random weights; the configuration last, so that an incomplete folder does not count as a model."""
    tokenizer = _tokenizer(train, shape["vocabulary"], shape["max_positions"], chat_template)
    tokenizer.save_pretrained(folder)
    config = Qwen3Config(
        vocab_size=(len(tokenizer) + 63) // 64 * 64,
        hidden_size=shape["hidden"],
        intermediate_size=shape["feed_forward"],
        num_hidden_layers=shape["layers"],
        num_attention_heads=shape["heads"],
        num_key_value_heads=shape["key_value_heads"],
        head_dim=shape["head_size"],
        max_position_embeddings=shape["max_positions"],
        rope_parameters={"rope_type": "default", "rope_theta": 1e6},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        dtype="float32",
    )
    torch.manual_seed(seed)
    model = Qwen3ForCausalLM(config)
    ends = tokenizer.convert_tokens_to_ids([END, PAD])
    model.generation_config = GenerationConfig(eos_token_id=ends, pad_token_id=tokenizer.pad_token_id, do_sample=False)
    model.save_pretrained(folder)


def _tokenizer(train: Path, size: int, longest: int, chat_template: str) -> PreTrainedTokenizerFast:
    bpe = Tokenizer(models.BPE())
    bpe.normalizer = normalizers.NFC()
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(SPECIAL) - len(VISIBLE),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(_texts(train), trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=bpe)
    fast.add_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    fast.add_tokens([AddedToken(token, special=False, normalized=False) for token in VISIBLE])
    fast.eos_token, fast.pad_token = END, PAD
    fast.model_max_length = longest
    fast.chat_template = template(chat_template)
    return fast


def _texts(train: Path) -> Iterator[str]:
    with train.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield row["tools"]
            for message in row["messages"]:
                yield message.get("content") or ""
                for call in message.get("tool_calls") or ():
                    yield json.dumps(call["function"]["arguments"], ensure_ascii=False)
