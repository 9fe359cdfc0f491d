"""What a reviewer sees is numbers; what documents say is inert."""

import re

from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.domain.gate import Bound, Metrics, Policy
from gem_tasks.gates import decide, report

DECISION = decide(
    Metrics(stage="filter", accepted=1, rejected=99, numbers={"accepted_share": 0.01, "duplicate_share": 0.25}),
    Policy(sha256="p" * 64, bounds={"filter": {"accepted_share": (Bound(min=0.1, action="review"),)}}),
)


def test_numbers_stand_beside_their_bounds():
    body = report(DECISION, "2026-01-31T14:00", [("rejected: not_procedural — file:///a", "Once upon a time")])
    assert "| accepted_share | 0.01 | at least 0.1 | review | **broken** |" in body
    assert "duplicate_share 0.25" in body
    assert "2026-01-31T14:00" in body
    assert "Once upon a time" in body


@given(st.text(max_size=80), st.text(alphabet="`~\n![](x)<b>", max_size=80))
def test_no_text_leaves_its_fence(heading, text):
    body = report(DECISION, "p", [(heading, text)])
    block = body[body.index("## 1 examples") :].split("\n", 2)[2]
    fence = re.match("`{3,}", block)[0]
    inside = block[len(fence) + 5 : -len(fence) - 1]
    assert block.endswith("\n" + fence)
    assert fence not in inside
