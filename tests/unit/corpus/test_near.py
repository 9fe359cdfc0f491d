"""Signatures estimate similarity, similar texts meet, different ones do not."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gem_tasks.corpus.near import shingles, signatures
from gem_tasks.corpus.text.scripts import unspaced, words

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


@pytest.mark.parametrize(
    ("mixed", "found", "apart"),
    [
        ("Das kleine_Wort, 12", ["Das", "kleine_Wort", "12"], 0),
        ("ab中文12、é的x", ["ab", "中", "文", "12", "é", "的", "x"], 3),
        ("ที่ a　カ​b", ["ท", "ี", "่", "a", "カ", "b"], 4),
        ("中𠀀😀", ["中", "𠀀"], 2),
    ],
)
def test_a_word_is_a_run_of_letters_or_one_character_of_a_script_without_spaces(mixed, found, apart):
    assert (words(mixed), unspaced(mixed)) == (found, apart)


SCRIPTS = {"Han": 0x4E00, "Kana": 0x3042, "Thai": 0x0E01, "Lao": 0x0E81, "Khmer": 0x1780, "Burmese": 0x1000}


def sentences_of(script, seed, sentences=30):
    """Sentences of words of two characters, with punctuation or blanks only between sentences."""
    rng = random.Random(seed)
    return [[chr(SCRIPTS[script] + rng.randrange(30)) * 1 + chr(SCRIPTS[script] + rng.randrange(30))
             for _ in range(rng.randint(5, 12))] for _ in range(sentences)]  # fmt: skip


@pytest.mark.parametrize("script", SCRIPTS)
def test_near_duplicates_are_found_where_no_spaces_are_written(script):
    """As many of them as in English: one word in sixty is another one."""
    found = []
    for seed in range(30):
        rng = random.Random(seed)
        original = sentences_of(script, seed)
        other = [["XY" if rng.random() < 1 / 60 else word for word in words] for words in original]
        one, two = (" ".join("".join(words) for words in each) for each in (original, other))
        similarity, met = pair(one, two)
        found.append(met and similarity >= 0.8)
    assert sum(found) >= 24


def test_one_changed_clause_among_many_leaves_a_chinese_text_alike():
    text = "打开钥匙系统，按姓名查找人员。检查借出的钥匙少于三把，然后登记借用。记录保存前都要确认，并发送通知。钥匙丢失应立即停用门锁，并通知保安部门。归还时检查标签，放回原位。每月清点一次，差异写入报告。"
    assert pair(text, text.replace("放回原位", "放到柜里"))[0] > 0.8


@given(st.text(max_size=300))
@settings(deadline=None)
def test_any_text_has_a_signature_and_is_like_itself(anything):
    first, second = signatures([anything, anything])
    assert first == second
    assert len(first.digest) == 128
    assert len(first.bands) == 16
    assert all(-(2**63) <= band < 2**63 for band in first.bands)
    assert first.similarity(second.digest) == 1.0
