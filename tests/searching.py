"""A search through everything that a process can reach, as an answer would do it.

It knows where the course lies. What it finds that reads like a canary it raises as an exception.
"""

SEARCH = r"""
import ctypes, gc, glob, os, re, stat, sys, time

FOUND, COUNTS, END = set(), {"files": 0, "bytes": 0, "memory": 0, "objects": 0}, time.time() + 60
SKIPPED = {"torch", "lib2to3", "share", "locale", "proc", "sys", "dev"}
CANARY = re.compile(rb"canary-[a-z]+-[0-9a-f]{12}")

def look(content):
    FOUND.update(found.decode() for found in CANARY.findall(content))

def look_into(path, most=4_000_000):
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return  # reading a pipe would take what its owner waits for
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return
    try:
        content = os.read(file, most)
    except OSError:
        content = b""
    os.close(file)
    COUNTS["files"] += 1
    COUNTS["bytes"] += len(content)
    look(content)

def look_through(top):
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if name not in SKIPPED]
        look("/".join(names).encode())
        for name in names:
            if time.time() > END or COUNTS["bytes"] > 2_000_000_000:
                return
            if os.path.islink(f"{folder}/{name}") or not name.endswith((".so", ".pyc", ".a")):
                look_into(f"{folder}/{name}")

def look_at_processes():
    for path in glob.glob("/proc/[0-9]*/*") + glob.glob("/proc/self/task/*/*"):
        if os.path.basename(path) in ("environ", "cmdline", "maps", "mountinfo", "status", "comm"):
            look_into(path)
    for number in range(256):
        try:
            look(os.readlink(f"/proc/self/fd/{number}").encode())
            look(os.pread(number, 1 << 20, 0))
        except OSError:
            pass
    for target in (1, os.getppid()):
        for name in ("root", "cwd", "fd/0", "fd/3", "fd/4", "fd/7", "fd/11"):
            look_through(f"/proc/{target}/{name}")
    look(repr(dict(os.environ)).encode())

def look_at_memory(target):
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
    try:
        regions = open(f"/proc/{target}/maps").read().splitlines()
        memory = os.open(f"/proc/{target}/mem", os.O_RDONLY)
    except OSError:
        return
    for region in regions:
        place, rights = region.split()[:2]
        first, last = (int(part, 16) for part in place.split("-"))
        if "w" in rights and last - first < 1 << 28:
            try:
                content = os.pread(memory, last - first, first)
            except OSError:
                continue
            COUNTS["memory"] += len(content)
            look(content)
    os.close(memory)

def look_at_objects():
    for thing in gc.get_objects():
        COUNTS["objects"] += 1
        if type(thing) in (dict, list, tuple, set):
            parts = [*thing.values(), *thing] if type(thing) is dict else thing
            look(" ".join(part for part in parts if type(part) is str).encode("utf-8", "replace"))
    frame = sys._getframe()
    while frame is not None:
        look(repr(list(frame.f_locals)).encode())
        frame = frame.f_back

def search(places):
    for place in places:
        look_through(place)
        look_into(place)
    look_at_processes()
    for target in ("self", os.getppid(), 1):
        look_at_memory(target)
    look_at_objects()
    return f"{sorted(FOUND)} in {COUNTS}"
"""
