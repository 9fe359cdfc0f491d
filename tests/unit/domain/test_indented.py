"""JSON with line breaks does not outgrow its text."""

import json

from gem_tasks.domain.indented import indented


def test_json_is_indented_unless_it_is_nested_very_deeply():
    assert indented({"a": ["é"]}, 2) == '{\n  "a": [\n    "é"\n  ]\n}'
    deep = [0] * 1000
    for _ in range(200):
        deep = [deep]
    assert json.loads(indented(deep, 2)) == deep
    assert len(indented(deep, 2)) < 4 * 1000
