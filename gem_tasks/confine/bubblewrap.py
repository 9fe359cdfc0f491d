"""Defines what is visible in a sandbox, and bubblewrap's arguments for it."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from gem_tasks.confine.job import Job
from gem_tasks.confine.means import Means

SOCKETS = "/run/gem"
"""The folder of the sockets to the outside, in a sandbox with namespaces."""
SHARED, TEMPORARY = "/dev/shm", "/tmp"  # noqa: S108 - the sandbox's own, in memory
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = (
    "alternatives", "group", "hosts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types",
    "nsswitch.conf", "passwd", "ssl/certs", "timezone",
)  # fmt: skip
_GPU_DEVICES = ("nvidia*", "nvidia-caps/*", "dri", "kfd")
_GPU_READS = ("/sys", "/proc/driver/nvidia")
INSIDE = Path(__file__).with_name("inside.py")


def system() -> list[str]:
    """Libraries and the few files of `/etc` that programs need; they contain no secrets."""
    return [*_SYSTEM, *(f"/etc/{name}" for name in _ETC)]


def gpu_devices() -> list[str]:
    """Device files of the available GPUs."""
    return sorted(str(path) for pattern in _GPU_DEVICES for path in Path("/dev").glob(pattern))


def visible(job: Job) -> list[str]:
    """Paths that a job may read in addition to the system and its folder."""
    paths = [INSIDE, *interpreters(sys.executable), *interpreters(job.command[0]), *job.reads]
    return list(dict.fromkeys(str(path.absolute()) for path in paths))


def interpreters(program: str) -> Iterator[Path]:
    """The folders that a Python needs: its virtual environment, and each installation on the way of its links."""
    path = Path(program)
    if not path.is_absolute():
        return
    for folder in (path.parent.parent, path.parent.parent.resolve()):
        if (folder / "pyvenv.cfg").is_file():
            yield folder
    while path.is_symlink():
        path = path.parent.resolve() / path.readlink()
        prefix = path.parent.resolve().parent
        if prefix != Path(prefix.anchor) and not _ours(prefix):
            yield prefix
            yield path.parent.parent  # the same folder, by the name in the link


def _ours(prefix: Path) -> bool:
    """Whether a prefix is a home folder or a parent of one, which a program must not see completely."""
    home = Path.home()
    return prefix == home or prefix in home.parents


def arguments(job: Job, means: Means, sockets: Path) -> list[str]:
    """Bubblewrap's arguments, up to the confined command."""
    scratch = str(int(job.limits.scratch_gb * 1e9))
    given = [
        *means.bubblewrap, "--die-with-parent", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
        "--unshare-cgroup-try", "--hostname", "sandbox", "--dev", "/dev",
        *(part for place in (SHARED, TEMPORARY) for part in ("--perms", "1777", "--size", scratch, "--tmpfs", place)),
    ]  # fmt: skip
    own = str(job.folder)
    shown = sorted({*visible(job), own})  # outer folders first, so that none hides its contents
    places = {
        path: ("--bind" if path == own else "--ro-bind-try", path, path) for path in shown if not _of_system(path)
    }
    given += [part for folder in _above([*system(), *places]) for part in ("--perms", "0755", "--dir", folder)]
    for path in system():
        link = Path(path)
        given += ["--symlink", str(link.readlink()), path] if link.is_symlink() else ["--ro-bind-try", path, path]
    if job.gpus:
        given += [part for path in gpu_devices() for part in ("--dev-bind", path, path)]
        given += ["--ro-bind-try", "/sys", "/sys"]
    given += [part for place in places.values() for part in place]
    return [
        *given,
        "--ro-bind",
        str(sockets),
        SOCKETS,
        "--chdir",
        own,
        "--remount-ro",
        "/dev",
        "--remount-ro",
        "/",
        "--",
    ]


def _of_system(path: str) -> bool:
    return any(path == top or path.startswith(f"{top}/") for top in _SYSTEM)


def _above(paths: Iterable[str]) -> list[str]:
    """The parent folders, which another user could not enter if bubblewrap created them."""
    above = {str(folder) for path in (*paths, SOCKETS) for folder in Path(path).parents}
    return sorted(above - {"/", TEMPORARY})


def landlock(job: Job, temporary: Path, relay: int | None) -> dict[str, object]:
    """The same limits in Landlock's terms."""
    devices = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"]
    shared = [SHARED] if job.parallel or job.clustered or job.gpus else []
    numbers = ["/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices/system/cpu"]
    reads = [*system(), *visible(job), *numbers, *(_GPU_READS if job.gpus else ())]
    writes = [str(job.folder), str(temporary), *devices, *shared, *(gpu_devices() if job.gpus else ())]
    return {
        "reads": reads,
        "writes": writes,
        "connects": [relay] if relay else [],
        "binds": [job.listens] if job.listens else [],
        "any_tcp": job.clustered,
    }
