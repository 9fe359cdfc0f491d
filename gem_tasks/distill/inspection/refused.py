"""Why a model's folder is not loaded."""

TRUST = "Remove it, or set GEM_TRUST_REMOTE_CODE=1 if this deployment may run such code, confined."
ANOTHER = "Use another copy of the model, from a publisher whom you trust."


class RefusedError(Exception):
    """A folder that no program may load.

    Attributes:
        reason: continues "GEM does not load NAME: "; shows names of files as they are, so the reader escapes them.
        fix: what to do.
        code: whether a deployment that trusts code of models may load it.
    """

    def __init__(self, reason: str, fix: str = ANOTHER, *, code: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.fix, self.code = reason, TRUST if code else fix, code
