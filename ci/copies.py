"""Copies of a built tree in which nothing has to be built again.

A build folder is full of the tree's absolute path: in rules, logs, dependencies and programs. A copy therefore lives
under a path of the same length, which is put in the place of the old one, byte for byte; times of files are kept.
"""
import os
import pathlib
import re
import shutil
import tempfile

LEFT_OUT = {".git", "build", "out", "__pycache__"}


class CopyError(Exception):
    pass


def home_of(build):
    """The tree that a build folder was configured for."""
    cache = build / "CMakeCache.txt"
    if not cache.is_file():
        raise CopyError(f"{build}: no build folder: it has no CMakeCache.txt")
    return pathlib.Path(re.search(r"^CMAKE_HOME_DIRECTORY:\w+=(.*)$", cache.read_text(), re.M)[1])


def free_path(length):
    """A folder that does not exist, with a path of exactly that many characters."""
    parent = tempfile.gettempdir()
    room = length - len(parent) - 1
    if room < 4:
        raise CopyError(f"the path of the tree has {length} characters: move it to a longer one, or set TMPDIR to a "
                        f"shorter one than {parent}")
    for number in range(1000):
        path = pathlib.Path(parent) / f"p{number:03}{'_' * (room - 4)}"
        if not path.exists():
            return path
    raise CopyError(f"{parent} is full of copies")


def copy_file(source, target, old, new):
    """One file with its times, `new` in the place of `old` where that is a whole path or the head of one."""
    data = source.read_bytes()
    if old in data:
        data = re.sub(re.escape(old) + rb"(?![\w.-])", lambda _: new, data)
    if target.name == "rules.ninja":  # Ninja keeps digests of commands, in which the path stood: let it go by times
        data = re.sub(rb"^(rule .*)$", rb"\1\n  generator = 1", data, flags=re.M)
    if target.name in ("build.ninja", "flags.make"):  # a warning about a fault is none
        data = data.replace(b"-Werror", b"-w")
    target.unlink(missing_ok=True)
    target.write_bytes(data)
    shutil.copystat(source, target)


def files_under(folder):
    for head, _, names in os.walk(folder):
        for name in names:
            yield pathlib.Path(head) / name


def state(folder):
    """What tells whether a file of a folder was touched."""
    found = {}
    for path in files_under(folder):
        about = path.lstat()
        found[path.relative_to(folder)] = (about.st_mtime_ns, about.st_size)
    return found


class Copy:
    """A copy of `origin` (a tree), with its build folder; `restore` makes it again what it was."""

    def __init__(self, origin, build):
        self.origin, self.within = origin, build.relative_to(origin)
        self.root = free_path(len(str(origin)))
        self.build = self.root / self.within
        self.root.mkdir()
        try:
            self.fill()
        except BaseException:
            self.remove()
            raise

    def fill(self):
        for entry in self.origin.iterdir():
            if entry.name in LEFT_OUT:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.copytree(entry, self.root / entry.name, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
            else:
                shutil.copy2(entry, self.root / entry.name, follow_symlinks=False)
        for path in files_under(self.origin / self.within):
            target = self.root / path.relative_to(self.origin)
            target.parent.mkdir(parents=True, exist_ok=True)
            self.take(path, target)
        self.clean = state(self.origin / self.within)

    def take(self, path, target):
        if path.is_symlink():
            target.unlink(missing_ok=True)
            target.symlink_to(os.readlink(path))
        else:
            copy_file(path, target, str(self.origin).encode(), str(self.root).encode())

    def restore(self):
        """Takes back from the origin every built file that has changed, so that nothing is built twice."""
        now = state(self.build)
        for path in now.keys() - self.clean.keys():
            (self.build / path).unlink()
        for path, about in self.clean.items():
            if now.get(path, (0, 0))[0] != about[0]:
                self.take(self.origin / self.within / path, self.build / path)

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)
