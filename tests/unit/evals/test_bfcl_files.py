"""What the BFCL harness leaves behind is read whatever the model wrote."""

import json

from gem_tasks.evals import bfcl

STRANGE = "first line\u2028second line\u2029third\x85fourth"


def test_an_answer_with_a_line_separator_is_scored_and_kept_for_the_next_run(tmp_path):
    category = "multi_turn_base"
    rows = [
        {"id": "multi_turn_base_0", "result": [[STRANGE]]},
        {"id": "multi_turn_base_1", "result": f"Error during inference: {STRANGE}", "traceback": "of the harness"},
    ]
    result = bfcl._result_path(tmp_path, category)
    result.parent.mkdir(parents=True)
    cut_off = '{"id": "multi_turn_base_2", "result": "hä'.encode()[:-1]
    result.write_bytes(b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows) + cut_off)
    bfcl._forget_failed(tmp_path)
    assert bfcl._results(tmp_path, category) == {"multi_turn_base_0": rows[0]}
    score = tmp_path / "score" / result.parent.relative_to(tmp_path / "result") / f"BFCL_v4_{category}_score.json"
    score.parent.mkdir(parents=True)
    score.write_text(
        json.dumps({"total_count": 1, "correct_count": 0})
        + "\n"
        + json.dumps({"id": "multi_turn_base_0", "model_result": STRANGE}, ensure_ascii=False)
        + "\n",
        encoding="utf-8",
    )
    (case,) = bfcl._cases(tmp_path, category, ["multi_turn_base_0"])
    assert (case.case_id, case.score, case.error) == ("multi_turn_base_0", 0.0, None)
