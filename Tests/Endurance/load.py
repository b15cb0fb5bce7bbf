"""Writers whose acknowledged rows are known outside of the server, and pgbench beside them."""

import random
import subprocess
import threading
import time

import psycopg

from server import PATIENCE, PROGRAMS, Failure

# What pgbench's transactions keep equal, whatever is killed when.
SUMS = """SELECT (SELECT coalesce(sum(delta), 0) FROM pgbench_history),
    (SELECT sum(abalance) FROM pgbench_accounts), (SELECT sum(tbalance) FROM pgbench_tellers),
    (SELECT sum(bbalance) FROM pgbench_branches), (SELECT count(*) FROM pgbench_accounts)"""


class Writer(threading.Thread):
    """Inserts one row after the other, and knows which were begun and which acknowledged."""

    def __init__(self, server, number, branch="main", before=None):
        super().__init__(daemon=True)
        self.server = server
        self.number = number
        self.database = f"postgres@{branch}"
        self.begun = before.begun if before else 0
        self.acknowledged = before.acknowledged if before else []
        self.error = None
        self.over = threading.Event()

    def run(self):
        while not self.over.is_set():
            try:
                with self.server.connect(self.database) as session:
                    while not self.over.is_set():
                        self.write(session)
            except psycopg.Error as error:
                self.error = error
                time.sleep(0.02)

    def write(self, session):
        self.begun += 1
        row = self.begun
        session.execute(
            "INSERT INTO written VALUES (%s, %s, repeat('x', %s))",
            (self.number, row, random.randrange(2000)),
        )
        self.acknowledged.append(row)


class Replacer(Writer):
    """Makes one table anew again and again, so that files go for which there is still a log."""

    def write(self, session):
        self.begun += 1
        row = self.begun
        with session.transaction():
            session.execute("DROP TABLE IF EXISTS replaced")
            session.execute("CREATE TABLE replaced AS SELECT %s::bigint AS n, repeat('x', 500) AS filler "
                            "FROM generate_series(1, 300)", (row,))
        self.acknowledged.append(row)
        session.execute("UPDATE replaced SET filler = filler || 'y'")
        time.sleep(0.02)


class Load:
    """pgbench with four clients, some writers and a replacer, on one branch."""

    def __init__(self, server, branch="main", writers=2):
        self.server = server
        self.branch = branch
        self.writers = [Writer(server, number, branch) for number in range(writers)]
        self.replacer = Replacer(server, writers, branch)
        self.bench = None

    @staticmethod
    def prepare(server):
        """The tables of all this, in `main`."""
        server.run("main", "pgbench", "-i", "-q", "-s", "1", "postgres")
        server.ask("postgres@main", "CREATE EXTENSION amcheck")
        server.ask("postgres@main", "CREATE TABLE written (writer int, n bigint, filler text, "
                   "PRIMARY KEY (writer, n))")
        server.ask("postgres@main", "CREATE INDEX ON written (filler)")

    def start(self):
        self.bench = subprocess.Popen(
            [f"{PROGRAMS}/pgbench", "-n", "-c", "4", "-j", "1", "-T", "3600", "postgres"],
            env=self.server.environment(self.branch), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        )
        self.writers = [
            Writer(self.server, writer.number, self.branch, writer) for writer in self.writers
        ]
        self.replacer = Replacer(
            self.server, self.replacer.number, self.branch, self.replacer)
        for thread in self.threads:
            thread.start()

    @property
    def threads(self):
        """Each at the place of its number."""
        return self.writers + [self.replacer]

    def wait_until_busy(self):
        """Until everybody has something more acknowledged."""
        counts = self.acknowledged()
        until = time.monotonic() + PATIENCE
        while any(one >= other for one, other in zip(counts, self.acknowledged())):
            if time.monotonic() > until:
                raise Failure(f"nothing was acknowledged: {self.writers[0].error}")
            time.sleep(0.01)

    def stop(self):
        for thread in self.threads:
            thread.over.set()
        self.bench.kill()
        self.bench.communicate()
        for thread in self.threads:
            thread.join()

    def acknowledged(self):
        """The newest acknowledged row of each writer. Taken before something that must have them."""
        return [len(thread.acknowledged) for thread in self.threads]

    def begun(self):
        """The newest row that each writer has begun. Taken after what must not have later ones."""
        return [thread.begun for thread in self.threads]


def check_rows(server, branch, load, acknowledged=None, begun=None):
    """Holds a branch against what the writers know. Returns how many rows it has."""
    found = 0
    for writer in load.writers:
        number = writer.number
        count = acknowledged[number] if acknowledged else len(writer.acknowledged)
        last = begun[number] if begun else writer.begun
        rows = server.ask_patiently(
            f"postgres@{branch}", f"SELECT n FROM written WHERE writer = {number}")
        there = {row[0] for row in rows}
        lost = sorted(set(writer.acknowledged[:count]) - there)
        strange = sorted(row for row in there if row > last)
        if lost:
            raise Failure(f"{branch}: {len(lost)} of {count} acknowledged rows are lost: {lost[:9]}")
        if strange:
            raise Failure(f"{branch}: rows that began after it was made: {strange[:9]}")
        found += len(there)
    check_replaced(server, branch, load.replacer, acknowledged, begun)
    return found


def check_replaced(server, branch, replacer, acknowledged, begun):
    """Sees that the table is whole, and not older than what was acknowledged."""
    count = acknowledged[replacer.number] if acknowledged else len(replacer.acknowledged)
    last = begun[replacer.number] if begun else replacer.begun
    oldest = replacer.acknowledged[count - 1] if count else 0
    lowest, highest, rows = server.ask_patiently(
        f"postgres@{branch}", "SELECT min(n), max(n), count(*) FROM replaced")[0]
    if lowest != highest or rows != 300 or not oldest <= lowest <= last:
        raise Failure(f"{branch}: {rows} rows of the tables {lowest} to {highest}, "
                      f"not 300 of one of {oldest} to {last}")


def check_whole(server, branch):
    """Sees that no transaction is there in part, and that heaps and indexes agree."""
    history, accounts, tellers, branches, count = server.ask_patiently(
        f"postgres@{branch}", SUMS)[0]
    if not history == accounts == tellers == branches or count != 100_000:
        raise Failure(f"{branch}: sums {history} {accounts} {tellers} {branches} of {count}")
    server.run(branch, "pg_amcheck", "--heapallindexed", "postgres")
