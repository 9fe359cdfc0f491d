"""Languages are those that the library's own loop over the bytes finds."""

import pytest
from py3langid.langid import visit_counts

from gem_tasks.corpus.text.language import _identifier

TEXTS = [
    "a", "abcde", "Open the case, replace the filter and write the date on the label. " * 5,
    "Öffnen Sie das Gehäuse und wechseln Sie den Filter; schreiben Sie das Datum auf das Schild.",
    "Откройте корпус, замените фильтр и напишите дату на этикетке.", "打开机箱更换滤芯，并在标签上写上日期。",
    "機箱を開けてフィルターを交換する。", "افتح العلبة واستبدل الفلتر واكتب التاريخ",
    "케이스를 열고 필터를 교체하십시오.",
    "बॉक्स खोलें और फ़िल्टर बदलें।", "Ανοίξτε το κουτί και αλλάξτε το φίλτρο.", "\udcff and \x00",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_the_same_ngrams_are_found(text):
    model = _identifier()
    data = model._encode(text)
    expected = visit_counts(model.tk_nextmove, model._rowbase, model.tk_output, data) or {}
    found = model._features(data).tolist()
    assert {each: found.count(each) for each in found} == dict(expected)
