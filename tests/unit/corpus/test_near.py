"""Signatures estimate similarity, similar texts meet, different ones do not."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gem_tasks.corpus.near import shingles, signatures

WORDS = [f"word{number}" for number in range(5000)]


def text(seed, words=400):
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def changed(original, share, seed=0):
    rng = random.Random(seed)
    return " ".join(rng.choice(WORDS) if rng.random() < share else word for word in original.split())


def jaccard(one, other):
    mine, yours = set(shingles(one)), set(shingles(other))
    return len(mine & yours) / len(mine | yours)


def pair(one, other):
    first, second = signatures([one, other])
    return first.similarity(second.digest), bool(set(first.bands) & set(second.bands))


def test_the_estimate_is_near_the_truth():
    errors = []
    for seed in range(60):
        original = text(seed)
        other = changed(original, share=seed / 600, seed=seed)
        errors.append(abs(pair(original, other)[0] - jaccard(original, other)))
    assert sum(errors) / len(errors) < 0.04


def test_similar_texts_meet_and_different_ones_do_not():
    met = [pair(text(seed), changed(text(seed), 0.015, seed))[1] for seed in range(100)]
    assert sum(met) >= 97
    strangers = signatures([text(seed) for seed in range(200)])
    bands = [band for signature in strangers for band in signature.bands]
    assert len(set(bands)) == len(bands)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Press the button, then wait for the green light.", "press the BUTTON; then wait for the green light"),
        (
            "パスワードを入力してから、確認ボタンを押してください。",
            "パスワードを入力してから 確認ボタンを押してください",
        ),
        ("Stop", "stop!"),
    ],
)
def test_case_punctuation_and_spaces_do_not_count(one, other):
    assert pair(one, other) == (1.0, True)


def test_languages_without_spaces_are_told_apart():
    assert (
        pair("返却期限を確認してから延長を申請してください" * 3, "新しい端末を登録して暗証番号を設定します" * 3)[0]
        < 0.2
    )


@given(st.text(max_size=300))
@settings(deadline=None)
def test_any_text_has_a_signature_and_is_like_itself(anything):
    first, second = signatures([anything, anything])
    assert first == second
    assert len(first.digest) == 128
    assert len(first.bands) == 16
    assert all(-(2**63) <= band < 2**63 for band in first.bands)
    assert first.similarity(second.digest) == 1.0
