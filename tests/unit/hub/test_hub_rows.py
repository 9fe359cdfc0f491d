"""A version on the Hub has a column for thoughts if it has thoughts."""

import pyarrow.parquet as pq

from gem_tasks.hub import rows

ROW = {"messages": [{"role": "assistant", "content": "x", "reasoning_content": "y"}], "tools": [], "metadata": {}}


def test_thoughts_of_a_version_are_in_its_messages_and_others_have_no_such_field(tmp_path):
    for manifest, expected in (({"thoughts": {"thoughts": 1}}, "y"), ({}, None)):
        rows.write([ROW], tmp_path / "t.parquet", rows.schema_of(manifest))
        table = pq.read_table(tmp_path / "t.parquet")
        (message,) = table.to_pylist()[0]["messages"]
        assert message.get("reasoning_content") == expected
        assert ("reasoning_content" in message) == ("thoughts" in manifest)
        assert table.schema.remove_metadata().names == rows.SCHEMA.names
