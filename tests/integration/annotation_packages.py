"""Runs in an environment with `argilla` and `label-studio-sdk`: reads GEM's files with them, and writes answers.

`PYTHON annotation_packages.py FOLDER`: FOLDER has `argilla/` and `label-studio/`; prints counts as JSON.
"""

import json
import sys
from pathlib import Path
from unittest import mock
from uuid import UUID

USER = UUID(int=1)


def argilla(folder):
    import argilla as rg
    from argilla._models import DatasetModel
    from argilla.records._io import GenericIO, JsonIO

    with mock.patch.object(rg.Argilla, "_get_default", return_value=mock.MagicMock()):  # no server
        settings = rg.Settings.from_json(folder / ".argilla/settings.json")
        settings.validate()
        DatasetModel(**json.loads((folder / ".argilla/dataset.json").read_text(encoding="utf-8")))
        records = JsonIO._records_from_json(folder / "records.json")
        names = {question.name for question in settings.questions}
        for record in records:
            assert set(record.fields) == {field.name for field in settings.fields}
            assert {suggestion.question_name for suggestion in record.suggestions} <= names
            record.api_model()
        form = next(iter(records[0].suggestions)).value.rpartition("content: ")[0] + "content: By a package.\n"
        for question, value in (("verdict", "keep"), ("corrected", form), ("comment", "from Argilla")):
            records[0].responses.add(rg.Response(question, value, user_id=USER, status="submitted"))
        records[1].responses.add(rg.Response("verdict", "veto", user_id=USER, status="draft"))
        rows = GenericIO.to_list(records, flatten=True)
    (folder / "answers.json").write_text(json.dumps(rows), encoding="utf-8")
    return len(records)


def label_studio(folder):
    from label_studio_sdk.label_interface import LabelInterface

    interface = LabelInterface((folder / "labeling.xml").read_text(encoding="utf-8"))
    interface.validate()
    tasks = json.loads((folder / "tasks.json").read_text(encoding="utf-8"))
    for task in tasks:
        assert interface.validate_task({"data": task["data"]})
        for prediction in task["predictions"]:
            assert interface.validate_prediction(prediction, return_errors=True) == []
    answers = {"verdict": {"choices": ["veto"]}, "reason": {"text": ["invented"]}, "coherence": {"rating": 4}}
    kinds = {"choices": "choices", "text": "textarea", "rating": "rating"}
    result = [
        {"id": name, "from_name": name, "to_name": "conversation", "type": kinds[next(iter(value))], "value": value}
        for name, value in answers.items()
    ]
    annotation = {"result": result, "was_cancelled": False, "completed_by": {"id": 2, "email": "reader@example.org"}}
    assert interface.validate_annotation(annotation)
    (folder / "answers.json").write_text(json.dumps([{**tasks[2], "annotations": [annotation]}]), encoding="utf-8")
    return len(tasks)


if __name__ == "__main__":
    given = Path(sys.argv[1])
    print(json.dumps([argilla(given / "argilla"), label_studio(given / "label-studio")]))
