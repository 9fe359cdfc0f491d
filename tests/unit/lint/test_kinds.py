"""Kinds of findings about a row's form: plain text in every output, and each named in the docs."""

from pathlib import Path

import pytest

from gem_tasks.lint import check_rows
from gem_tasks.lint.kinds import FormKind

DOC = (Path(__file__).parents[3] / "docs/check.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", FormKind)
def test_the_docs_name_it(kind):
    assert f"`{kind}`" in DOC


def test_a_finding_s_kind_is_plain_text():
    (row,) = check_rows([{"words": "no conversation"}])
    (finding,) = row.findings
    assert (type(finding.kind), finding.kind) == (str, "unknown_columns")
