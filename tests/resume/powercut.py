"""A disk that can be cut off: what was not synced is lost.

The state file is written by SQLite itself, so that only SQLite knows what it asked the disk to keep. This module puts
itself between the two: a VFS (sqlite.org/vfs.html) over the library that Python's own `sqlite3` is linked with, whose
files are ordinary ones, except that each remembers its content as of its last sync. That content is what a power cut
leaves. A kill of the process leaves what was written.
"""

import _sqlite3
import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_NAME = b"powercut"
_OK = 0


class _Methods(ctypes.Structure):
    """sqlite3_io_methods, versions 1 to 3; only the sync is called through here, the rest is copied."""

    _fields_ = [
        ("version", ctypes.c_int),
        *[(name, ctypes.c_void_p) for name in ("close", "read", "write", "truncate")],
        ("sync", ctypes.c_void_p),
        *[
            (name, ctypes.c_void_p)
            for name in (
                "file_size", "lock", "unlock", "check_reserved_lock", "file_control", "sector_size",
                "device_characteristics", "shm_map", "shm_lock", "shm_barrier", "shm_unmap", "fetch", "unfetch",
            )
        ],
    ]  # fmt: skip


class _File(ctypes.Structure):
    """sqlite3_file: what follows the pointer is the VFS's own."""

    _fields_ = [("methods", ctypes.POINTER(_Methods))]


class _Vfs(ctypes.Structure):
    """sqlite3_vfs as far as its methods for names."""

    _fields_ = [
        ("version", ctypes.c_int),
        ("size_of_file", ctypes.c_int),
        ("max_path", ctypes.c_int),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("app_data", ctypes.c_void_p),
        *[(name, ctypes.c_void_p) for name in ("open", "delete", "access", "full_pathname")],
        *[(name, ctypes.c_void_p) for name in ("dl_open", "dl_error", "dl_sym", "dl_close")],
        *[(name, ctypes.c_void_p) for name in ("randomness", "sleep", "current_time", "get_last_error")],
        *[(name, ctypes.c_void_p) for name in ("current_time_64", "set_system_call", "get_system_call")],
        ("next_system_call", ctypes.c_void_p),
    ]


_FilePointer = ctypes.POINTER(_File)
_Open = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, _FilePointer, ctypes.c_int, ctypes.POINTER(ctypes.c_int)
)  # names as addresses: the real VFS keeps the very pointer that it is given
_Sync = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
_Delete = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)


@dataclass
class Disk:
    """The files of one folder, as written and as synced. `on_sync` is told of each sync before it counts."""

    folder: Path
    synced: dict[str, bytes] = field(default_factory=dict)
    on_sync: Callable[[], None] = lambda: None

    def holds(self, path: str) -> bool:
        """Whether the file is one of this disk's."""
        return Path(path).parent == self.folder

    def sync(self, path: str) -> None:
        """The file as it is now will survive."""
        if self.holds(path):
            self.on_sync()
            self.synced[Path(path).name] = Path(path).read_bytes()

    def delete(self, path: str) -> None:
        """The file is gone for good."""
        if self.holds(path):
            self.synced.pop(Path(path).name, None)

    def after_power_cut(self, folder: Path) -> Path:
        """A copy of what was synced."""
        return _copy(folder, self.synced)

    def after_kill(self, folder: Path) -> Path:
        """A copy of what was written; the shared memory file is not: it is made anew by the next process."""
        left = {path.name: path.read_bytes() for path in self.folder.iterdir() if not path.name.endswith("-shm")}
        return _copy(folder, left)


def _copy(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@contextmanager
def mounted(disk: Disk) -> Iterator[Disk]:
    """All databases that are opened in the block go through the disk; those elsewhere are not affected by it."""
    shim = _Shim(disk)
    library = ctypes.CDLL(_sqlite3.__file__)  # its symbols and those of what it is linked with
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    library.sqlite3_vfs_find.argtypes = [ctypes.c_char_p]
    real = library.sqlite3_vfs_find(None)
    vfs = shim.over(real)
    assert library.sqlite3_vfs_register(ctypes.byref(vfs), 1) == _OK
    try:
        yield disk
    finally:
        library.sqlite3_vfs_register(real, 1)
        library.sqlite3_vfs_unregister(ctypes.byref(vfs))


def _text(address: int) -> str:
    return os.fsdecode(ctypes.string_at(address))


class _Shim:
    """The three calls that matter; everything else is the real VFS's."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._paths: dict[int, str] = {}  # by the address of the open file
        self._tables: dict[int, _Methods] = {}  # ours, by the address of the real one
        self._kept: list[object] = []  # what C points to must not be collected

    def over(self, real: "ctypes._Pointer[_Vfs]") -> _Vfs:
        """A VFS like the real one but for opening and deleting."""
        vfs = _Vfs.from_buffer_copy(real.contents)
        vfs.name, vfs.next = _NAME, None
        address = ctypes.cast(real, ctypes.c_void_p)
        open_file, delete = _Open(real.contents.open), _Delete(real.contents.delete)

        def opened(_vfs: int, name: int | None, file: "ctypes._Pointer[_File]", flags: int, out: object) -> int:
            code = int(open_file(address, name, file, flags, out))
            if code == _OK and name is not None:
                where = ctypes.addressof(file.contents)
                self._paths[where] = _text(name)
                file.contents.methods = ctypes.pointer(self._methods(file.contents.methods))
            return code

        def deleted(_vfs: int, name: int, durable: int) -> int:
            self._disk.delete(_text(name))
            return int(delete(address, name, durable))

        callbacks = _Open(opened), _Delete(deleted)
        self._kept += [vfs, *callbacks]
        vfs.open, vfs.delete = (ctypes.cast(one, ctypes.c_void_p) for one in callbacks)
        return vfs

    def _methods(self, real: "ctypes._Pointer[_Methods]") -> _Methods:
        where = ctypes.addressof(real.contents)
        if where not in self._tables:
            table = _Methods()
            ctypes.memmove(ctypes.byref(table), real, ctypes.sizeof(_Methods))

            def sync(file: int, _flags: int) -> int:
                self._disk.sync(self._paths[file])
                return _OK  # the disk is made up: a real sync would only cost time

            callback = _Sync(sync)
            self._kept.append(callback)
            table.sync = ctypes.cast(callback, ctypes.c_void_p)
            self._tables[where] = table
        return self._tables[where]
