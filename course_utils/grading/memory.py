"""Memory laid out so that forking, and what a child does first, costs little.

A fork copies the list of pages, and later every page that one of both writes to. In large pages the
list is short; and without holes between old objects, new ones lie together on few pages.
"""

import ctypes
import sys
from pathlib import Path
from typing import Any

MADV_COLLAPSE, LARGE = 25, 2 << 20
POOL, LARGEST, STEP = 16 << 10, 512, 16  # bytes: where Python keeps small objects, of which sizes
HEAD = 33  # bytes of an object of bytes that has none
MOST_OBJECTS = 50_000  # of one size
MOST_BLOCKS = 100_000
MARGIN = 1 << 20  # at the end of the heap

_kept: list[Any] = []


def settle() -> None:
    """Fill the holes in this process's memory and use large pages, where the system can."""
    if sys.platform == "linux" and sys.implementation.name == "cpython":
        library = ctypes.CDLL(None)
        _fill_pools()
        _fill_heap(library)
        _use_large_pages(library)


def _fill_pools() -> None:
    """Make small objects of every size, until a whole pool was empty before."""
    for size in range(STEP, LARGEST + 1, STEP):
        in_a_row, last = 0, 0
        for _ in range(MOST_OBJECTS):
            one = _object_of(size)
            _kept.append(one)
            in_a_row = in_a_row + 1 if id(one) == last + size else 0
            last = id(one)
            if in_a_row > POOL // size - 10:
                break


def _object_of(size: int) -> Any:
    """Return a new object that takes so many bytes."""
    if size < HEAD:
        return object() if size == STEP else complex(size, size)
    return bytes(size - HEAD)


def _fill_heap(library: Any) -> None:
    """Take what is free in the heap in front of its end, in large blocks first."""
    library.malloc.restype = library.sbrk.restype = ctypes.c_size_t
    library.malloc.argtypes, library.free.argtypes = [ctypes.c_size_t], [ctypes.c_size_t]
    library.sbrk.argtypes = [ctypes.c_ssize_t]
    end = library.sbrk(0) - MARGIN
    sizes = [*range(64 << 10, 1 << 10, -(1 << 10)), *range(1 << 10, 0, -STEP)]
    left = MOST_BLOCKS
    for size in sizes:
        while (block := library.malloc(size)) and block + size < end and left:
            left -= 1
        library.free(block)


def _use_large_pages(library: Any) -> None:
    try:
        lines = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return
    for place, rights, _, _, inode, *path in map(str.split, lines):
        if rights == "rw-p" and inode == "0" and path in ([], ["[heap]"]):
            first, last = (int(one, 16) for one in place.split("-"))
            first, last = -(-first // LARGE) * LARGE, last // LARGE * LARGE
            if last > first:  # an older system refuses, and nothing is lost
                length = ctypes.c_size_t(last - first)
                library.madvise(ctypes.c_void_p(first), length, MADV_COLLAPSE)
