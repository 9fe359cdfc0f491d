"""Others' own figures in per cent, as reference rows for leaderboards and reports; no promotion compares with them.

The paper has two versions. arXiv 2601.10355 v1 (2026-01-15) says that GEM-32B gains 16.5 % on BFCL V3 multi-turn; the
ACL version (2026.acl-long.452, July 2026) says 14.9 %. `PAPER` has the tables 2 to 6 of arXiv v1; those of the ACL
version were not available. The paper does not report its harness, mode, thinking and seeds, and BFCL's multi-turn data
were fixed since.

Other rows are from their authors or from leaderboards, each with source and date. EnvFactory (arXiv 2605.18703) names
gains in words, up to 15 % on BFCL V3; its scores were not found as text, so it has no row.
"""

from typing import NamedTuple

from gem_tasks.domain.base import Value

SHOWN = "Paper: the tables of arXiv 2601.10355 v1 (GEM-32B +16.5 %; the ACL version says +14.9 %)."
"""Which of the paper's versions is shown, in words."""
_ARXIV = "arXiv 2601.10355 v1, 2026-01-15"
_LEADERBOARD = "BFCL leaderboard, data_multi_turn.csv, copy with models up to December 2025"
_FUNREASON = "model card of FunReason-MT, BFCL V3, arXiv 2510.24645, October 2025"
_FUNREASON_TABLE = "arXiv 2510.24645, table 2, October 2025, BFCL V3 of 2025-08-26"
_TAUBENCH = "τ-bench leaderboard, tau2-bench 0.2.1-dev, user gpt-5.2, 2026-02-27"


class Origin(NamedTuple):
    """A source in a few words."""

    name: str
    url: str


_ORIGINS = {
    _ARXIV: Origin("the paper, January 2026", "https://arxiv.org/abs/2601.10355v1"),
    _LEADERBOARD: Origin("BFCL leaderboard, December 2025", "https://gorilla.cs.berkeley.edu/leaderboard.html"),
    _FUNREASON: Origin("FunReason-MT, October 2025", "https://arxiv.org/abs/2510.24645"),
    _FUNREASON_TABLE: Origin("FunReason-MT, table 2, October 2025", "https://arxiv.org/abs/2510.24645"),
    _TAUBENCH: Origin("τ-bench leaderboard, February 2026", "https://taubench.com"),
}


class Reference(Value):
    """One row; None where the source has no number."""

    model: str
    bfcl: float | None = None
    bfcl_base: float | None = None
    bfcl_miss_func: float | None = None
    bfcl_miss_param: float | None = None
    bfcl_long_context: float | None = None
    airline_avg4: float | None = None
    airline_pass4: float | None = None
    retail_avg4: float | None = None
    retail_pass4: float | None = None
    airline_every4: float | None = None
    """pass^4: all four tries."""
    retail_every4: float | None = None
    source: str = ""
    """Where the figures come from, with a date; empty for GEM's own."""
    where: str = "paper"

    @property
    def origin(self) -> Origin | None:
        """The source in a few words, with its address; None for GEM's own rows."""
        return _ORIGINS[self.source] if self.source else None


_COLUMNS = tuple(Reference.model_fields)[1:10]


def _row(model: str, *values: float | None, source: str = _ARXIV, where: str = "paper") -> Reference:
    numbers = dict(zip(_COLUMNS, values, strict=False))
    return Reference.model_validate({"model": model, "source": source, "where": where, **numbers})


def _leaderboard(model: str, *values: float) -> Reference:
    return _row(model, *values, source=_LEADERBOARD, where="reference")


PAPER: tuple[Reference, ...] = (
    _row("Qwen3-8B", 18.00, 24.0, 17.0, 13.5, 17.5, 13, 18, 38.16, 66.67),
    _row("GEM-8B", 30.25, 40.0, 30.0, 28.0, 23.0, 22, 40, 44.52, 75.44),
    _row("Qwen3-32B", 28.38, 34.0, 24.5, 25.5, 29.5, 21, 40, 43.20, 70.18),
    _row("GEM-32B", 44.88, 52.0, 40.0, 38.5, 49.0, 35.5, 56, 55.48, 86.84),
    _row("GPT-4.1", 38.88),
    _row("DeepSeek-V3.2-Exp", 37.38),
    _row("Gemini-2.5-Flash", 36.25),
    _row("8B, no refinement", 26.00, None, None, None, None, 25, 36, 41.23, 74.56),
    _row("8B, no judge", 27.38, None, None, None, None, 22, 36, 42.76, 71.05),
    _row("32B, no refinement", 32.50, None, None, None, None, 31, 56, 40.35, 73.68),
    _row("32B, no judge", 44.25, None, None, None, None, 35, 52, 56.80, 82.46),
    _row("8B, synthesizer on Ultra-FineWeb", 28.38, 41.5, 23.5, 27.5, 21.0, 26, 40, 42.11, 73.68),
    _row("8B, synthesizer on WikiHow", 28.50, 43.5, 22.0, 27.0, 21.5, 25, 42, 39.67, 68.42),
)
OTHERS: tuple[Reference, ...] = (
    _leaderboard("xLAM-2-70b-fc-r", 77.38, 82.50, 77.00, 74.00, 76.00),
    _leaderboard("xLAM-2-8b-fc-r", 70.00, 76.00, 72.00, 65.00, 67.00),
    _leaderboard("Claude-Opus-4-5-20251101", 68.38, 81.00, 64.00, 58.00, 70.50),
    _leaderboard("GLM-4.6, thinking", 68.00, 74.50, 68.00, 63.00, 66.50),
    _leaderboard("Gemini-3-Pro-Preview", 63.12, 69.00, 63.00, 56.50, 64.00),
    _row("FunReason-MT-4B", 56.50, source=_FUNREASON, where="reference"),
    _leaderboard("Kimi-K2-Instruct", 50.63, 62.00, 41.00, 44.50, 55.00),
    _row("ToolACE-2-8B", 37.00, 47.00, 31.00, 28.00, 42.00, source=_FUNREASON_TABLE, where="reference"),
    _leaderboard("Qwen3-32B", 47.87, 56.00, 52.50, 40.00, 43.00),
    Reference(
        model="Qwen3.5-397B-A17B, thinking", airline_avg4=81.5, airline_every4=68.0, retail_avg4=84.43,
        retail_every4=59.65, source=_TAUBENCH, where="reference",
    ),
)  # fmt: skip
REFERENCES = (*PAPER, *OTHERS)
