"""What is known of vulnerabilities in locked packages: `make audit`.

pip-audit asks PyPI. If it gets no answer for a package, this says so instead of calling the package sound, and looks it
up in what a registry without that service has: the list in the package safety-db, whose last release is of July 2021.

Exit status: 0 if PyPI answered for every package and knows no fault, 1 if there is a fault, 2 if PyPI did not answer
for some package, and the old list knows no fault.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

_PINNED = re.compile(r"(?m)^[A-Za-z0-9][^\s\\]*==[^\\\n]*")
_OLD = "safety-db of 2021-07"


def main(answers: str, lock: str) -> int:
    """Prints faults and what was not looked up; returns the exit status."""
    found: dict[str, Any] = json.loads(answers) if answers.strip() else {"dependencies": []}
    wanted = dict(pinned(lock))
    known = faults(found)
    unknown = {name: version for name, version in wanted.items() if name not in answered(found)}
    old = faults_of_2021(unknown, old_list())
    for line in (*known, *old):
        print(line)  # noqa: T201
    print(f"{len(wanted)} packages: PyPI answered for {len(wanted) - len(unknown)}, {len(known)} faults")  # noqa: T201
    if unknown:
        print(f"NOT AUDITED by PyPI: {len(unknown)}. {_OLD} knows {len(old)} faults of them")  # noqa: T201
    return 1 if known or old else 2 if unknown else 0


def pinned(lock: str) -> Iterator[tuple[str, str]]:
    """Names and versions of a lock that this Python would install."""
    for line in _PINNED.findall(lock):
        wanted = Requirement(line.strip())
        if wanted.marker is None or wanted.marker.evaluate():
            yield canonicalize_name(wanted.name), str(wanted.specifier).removeprefix("==")


def answered(found: Mapping[str, Any]) -> set[str]:
    """The packages that PyPI said something of."""
    return {canonicalize_name(each["name"]) for each in found["dependencies"] if "skip_reason" not in each}


def faults(found: Mapping[str, Any]) -> list[str]:
    """One line for each fault that PyPI knows."""
    return [
        f"{each['name']} {each['version']}: {fault['id']}, fixed in {', '.join(fault['fix_versions']) or 'no version'}"
        for each in found["dependencies"]
        for fault in each.get("vulns", ())
    ]


def old_list() -> Mapping[str, Any]:
    """The data of safety-db, whose module cannot be imported."""
    path = Path(str(distribution("safety-db").locate_file("safety_db/insecure_full.json")))
    return json.loads(path.read_text(encoding="utf-8"))


def faults_of_2021(versions: Mapping[str, str], insecure: Mapping[str, Any]) -> list[str]:
    """One line for each fault that the old list knows of these versions."""
    listed: dict[str, list[dict[str, Any]]] = {
        canonicalize_name(name): faults for name, faults in insecure.items() if name != "$meta"
    }
    return [
        f"{name} {version}: {fault.get('cve') or fault['id']} ({_OLD})"
        for name, version in sorted(versions.items())
        for fault in listed.get(name, ())
        if any(SpecifierSet(wanted).contains(version, prereleases=True) for wanted in fault["specs"])
    ]


if __name__ == "__main__":
    sys.exit(main(sys.stdin.read(), Path(sys.argv[1]).read_text(encoding="utf-8")))
