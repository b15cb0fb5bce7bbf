"""SIGKILL of a server, and of its computes, under load, and a fork taken under load each time."""

import os
import random
import signal
import threading
import time

import psycopg

from load import Load, check_rows, check_whole
from server import Failure, children


class Kills:
    """Rounds of load, fork, kill and comparison, on one server."""

    def __init__(self, server, rounds):
        self.server = server
        self.rounds = rounds
        self.load = Load(server)
        self.counts = {
            "rounds": 0, "acknowledged rows": 0, "forks": 0, "forks cut by the kill": 0,
            "forks cut that are there": 0, "kills while it recovered": 0, "rows looked up": 0,
            "rows looked up at a moment": 0, "amchecks": 0, "lost": 0,
        }
        self.recoveries = []

    def table(self):
        rows = dict(self.counts)
        if self.recoveries:
            ordered = sorted(self.recoveries)
            for name, share in (("p50", 0.5), ("p95", 0.95), ("max", 1)):
                place = min(len(ordered) - 1, int(share * len(ordered)))
                rows[f"until main is there again, {name}"] = f"{ordered[place]:.2f} s"
        return rows

    def run(self, kill):
        self.server.start()
        Load.prepare(self.server)
        for number in range(self.rounds):
            self.round(f"fork-{number}", kill)
            self.counts["rounds"] += 1
            if number % 10 == 9:
                print(f"   {number + 1} of {self.rounds}: {self.counts}", flush=True)
        self.server.stop()
        self.server.command("check")

    def round(self, fork, kill):
        load, server = self.load, self.server
        load.start()
        load.wait_until_busy()
        time.sleep(random.uniform(0, 0.8))
        before = load.acknowledged()
        made, after = kill(self, fork)
        load.stop()
        began = time.monotonic()
        server.wait_for("postgres@main")
        self.recoveries.append(time.monotonic() - began)
        self.counts["rows looked up"] += check_rows(server, "main", load)
        check_whole(server, "main")
        self.counts["amchecks"] += 1
        self.counts["rows looked up at a moment"] += check_rows(server, "main@1ms", load)
        self.counts["acknowledged rows"] = sum(load.acknowledged())
        names = [row[0] for row in server.ask_patiently("oxbow", "SHOW BRANCHES")]
        if made and fork not in names:
            raise Failure(f"{fork} was acknowledged, and is not there")
        if fork in names:
            self.counts["forks cut that are there"] += 0 if made else 1
            server.wait_for(f"postgres@{fork}")
            self.counts["rows looked up"] += check_rows(
                server, fork, load, before, after or load.begun())
            check_whole(server, fork)
            self.counts["amchecks"] += 1
            # A fork is as good as what it came from.
            server.ask_patiently(f"postgres@{fork}", "INSERT INTO written VALUES (-1, 1, '')")
            server.ask_patiently("oxbow", f"DROP BRANCH {fork}")

    # What is killed. Each returns whether the fork is known to be there, and what was begun then.

    def fork(self, name, console=None):
        make = f"CREATE BRANCH {name} FROM main NO EXPIRY"
        if console:
            with console as session:
                session.execute(make)
                begun = self.load.begun()
        else:
            self.server.ask_patiently("oxbow", make)
            begun = self.load.begun()
        self.counts["forks"] += 1
        return True, begun

    def kill_server(self, name):
        """After a fork, or in the middle of it; sometimes once more while all recovers."""
        if random.random() < 0.75:
            done = self.fork(name)
            time.sleep(random.uniform(0, 0.3))
            self.server.kill()
        else:
            done = self.cut_fork(name)
        if random.random() < 0.25:
            self.kill_recovery()
        self.server.start()
        return done

    def cut_fork(self, name):
        console = self.server.connect("oxbow")
        killer = threading.Timer(random.uniform(0, 0.01), self.server.kill)
        killer.start()
        done = (False, None)
        try:
            done = self.fork(name, console)
        except psycopg.Error:
            self.counts["forks cut by the kill"] += 1
        killer.join()
        return done

    def kill_recovery(self):
        """Kills the next server while PostgreSQL recovers under it."""
        server = self.server
        server.start()

        def knock():
            try:
                server.ask("postgres@main", "SELECT 1")
            except psycopg.Error:
                pass

        knocker = threading.Thread(target=knock)
        knocker.start()
        time.sleep(random.uniform(0, 0.5))
        server.kill()
        knocker.join()
        self.counts["kills while it recovered"] += 1

    def kill_compute(self, name):
        """The first process of the compute, PostgreSQL's, or any of the others."""
        server = self.server
        first = server.compute("main")
        postmaster = children(first)[0]
        kind = ("first process", "postmaster", "other process")[self.counts["rounds"] % 3]
        if kind == "other process":
            process = random.choice(children(postmaster))
        else:
            process = first if kind == "first process" else postmaster
        done = self.fork(name)
        time.sleep(random.uniform(0, 0.3))
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            kind = "process that had ended"
        key = f"kills of a {kind}"
        self.counts[key] = self.counts.get(key, 0) + 1
        return done


def kill_server(server, rounds):
    kills = Kills(server, rounds)
    try:
        kills.run(Kills.kill_server)
    finally:
        server.table = kills.table()


def kill_compute(server, rounds):
    kills = Kills(server, rounds)
    try:
        kills.run(Kills.kill_compute)
    finally:
        server.table = kills.table()
