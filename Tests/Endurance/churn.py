"""Forty branches made, used and dropped by six clients at once, again and again; what leaks shows."""

import itertools
import os
import queue
import threading
import time

import psycopg

from server import PATIENCE, Failure, descendants

BRANCHES = 40
CLIENTS = 6
# What a quiet server may have more at the end than after its second cycle. Segments have
# 64 MiB.
ALLOWED = {"processes": 0, "mounts": 0, "descriptors": 4, "threads": 4, "memory MiB": 16,
           "disk MiB": 128}


class Churn:
    """Cycles of forty branches, and looks at the server between them."""

    def __init__(self, server):
        self.server = server
        self.errors = []
        self.counts = {"cycles": 0, "branches": 0, "throw-away forks": 0, "moments": 0}
        # What a quiet server holds after its second cycle and at the end, and what it ever held.
        self.warm, self.peak, self.end = {}, {}, {}

    def run(self, minutes):
        server = self.server
        server.start()
        server.command("window", "set", "--time", "5s", "--bytes", "64M")
        server.ask("postgres@main", "CREATE TABLE t AS SELECT n, repeat('x', 100) line "
                   "FROM generate_series(1, 10000) n")
        until = time.monotonic() + 60 * minutes
        while time.monotonic() < until or self.counts["cycles"] < 3:
            self.cycle()
            self.counts["cycles"] += 1
            if self.counts["cycles"] == 2:
                self.settle()
                self.warm = self.sample()
            print(f"   {self.counts['cycles']:>4} {self.sample()}", flush=True)
        self.settle()
        self.end = self.sample()
        for name, allowed in ALLOWED.items():
            if self.end[name] > self.warm[name] + allowed:
                raise Failure(f"{name} grew from {self.warm[name]} to {self.end[name]}")
        server.stop()
        server.command("check")
        if mounts(server):
            raise Failure(f"a mount is left: {mounts(server)}")

    def table(self):
        rows = dict(self.counts)
        for name in self.end:
            rows[f"{name}: warm, peak, end"] = (
                f"{self.warm[name]}, {self.peak[name]}, {self.end[name]}")
        return rows

    def cycle(self):
        work = queue.Queue()
        for number in range(BRANCHES):
            work.put(f"b{self.counts['cycles']}-{number}")
        threads = [threading.Thread(target=self.client, args=(work,)) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.errors:
            raise Failure(f"{len(self.errors)} clients failed, the first with: {self.errors[0]}")
        self.counts["branches"] += BRANCHES

    def client(self, work):
        try:
            while True:
                self.use(work.get_nowait())
        except queue.Empty:
            pass
        except (psycopg.Error, Failure) as error:
            self.errors.append(error)

    def use(self, name):
        """A branch's whole life; every fifth time with a look at a moment and a fork of its own."""
        server = self.server
        server.ask("oxbow", f"CREATE BRANCH {name} FROM main TTL '1h'")
        with server.connect(f"postgres@{name}") as session:
            session.execute("UPDATE t SET line = 'changed' WHERE n <= 500")
            session.execute("CREATE TABLE own AS SELECT n FROM t")
            self.expect(session, "SELECT count(*) FROM t WHERE line = 'changed'", 500)
        if int(name.split("-")[1]) % 5 == 0:
            with server.connect(f"postgres@{name}+") as session:
                session.execute("DROP TABLE t")
                self.expect(session, "SELECT count(*) FROM own", 10000)
            lsn = server.value("oxbow", f"SHOW POINT {name} AT 'head'")
            with server.connect(f"postgres@{name}@{lsn}") as session:
                self.expect(session, "SELECT count(*) FROM t", 10000)
            self.counts["throw-away forks"] += 1
            self.counts["moments"] += 1
        server.ask("oxbow", f"DROP BRANCH {name}")

    @staticmethod
    def expect(session, sql, expected):
        found = session.execute(sql).fetchone()[0]
        if found != expected:
            raise Failure(f"{sql}: {found} instead of {expected}")

    # What the server holds

    def settle(self):
        """Waits until nothing but `main` is there, and the disk has what is live."""
        server = self.server
        until = time.monotonic() + PATIENCE
        while True:
            names = {row[0] for row in server.ask("oxbow", "SHOW BRANCHES")}
            running = [row[:3] for row in server.ask("oxbow", "SHOW COMPUTES") if row[3]]
            # A moment's compute stays for a minute after its last session.
            if names == {"main"} and not running:
                break
            if time.monotonic() > until:
                raise Failure(f"left behind: {names} {running}")
            time.sleep(0.5)
        # History ends at a checkpoint that is older than the window: the first pass makes one, and
        # the second lets go of all before it.
        for _ in range(2):
            server.command("reclaim")
            time.sleep(10)
        server.command("reclaim")

    def sample(self):
        process = self.server.process.pid
        sample = {
            "processes": len(descendants(process)),
            "mounts": len(mounts(self.server)),
            "descriptors": descriptors(process),
            "threads": len(os.listdir(f"/proc/{process}/task")),
            "memory MiB": anonymous(process) >> 10,
            "disk MiB": allocated(self.server.data) >> 20,
        }
        self.peak = {name: max(value, self.peak.get(name, 0)) for name, value in sample.items()}
        return sample


def mounts(server):
    with open("/proc/mounts", encoding="utf-8") as file:
        return [line for line in file if server.run_folder in line]


def descriptors(process):
    """How many are open, without the store's segments, of which it keeps 256 open."""
    count = 0
    for number in os.listdir(f"/proc/{process}/fd"):
        try:
            count += not os.readlink(f"/proc/{process}/fd/{number}").endswith(".segment")
        except FileNotFoundError:
            continue
    return count


def anonymous(process):
    """KiB of memory that are no file's."""
    with open(f"/proc/{process}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon:"))


def allocated(folder):
    files = itertools.chain.from_iterable(
        (os.path.join(place, name) for name in names) for place, _, names in os.walk(folder))
    total = 0
    for path in files:
        try:
            total += os.lstat(path).st_blocks * 512
        except FileNotFoundError:
            continue
    return total


def churn(server, minutes):
    # Caches that are full by the second cycle, so that what grows afterwards is no cache.
    server.options += ("--idle", "2s", "--cache", "8M")
    churning = Churn(server)
    try:
        churning.run(minutes)
    finally:
        server.table = churning.table()
