"""Pins what is made today; refuses what has changed under the same version."""

import json
import sys

from tests.pins import FILE, SUBJECTS, changed, complaint, now, pinned


def main() -> int:
    """The exit code."""
    before, after = pinned(), {name: now(name) for name in SUBJECTS}
    refused = [
        complaint(name, before[name], after[name])
        for name, subject in SUBJECTS.items()
        if name in before
        and subject.version is not None
        and subject.version == before[name].version
        and changed(before[name], after[name])
    ]
    if refused:
        sys.stderr.writelines(f"{line}\n" for line in refused)
        return 1
    written = {
        name: {"version": pin.version, "outputs": dict(sorted(pin.outputs.items()))} for name, pin in after.items()
    }
    FILE.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    return 0


sys.exit(main())
