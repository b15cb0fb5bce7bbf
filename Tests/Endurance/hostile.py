"""Clients that mean no good, and an honest one that has to get in meanwhile.

They come from an address of their own. One of theirs could be turned away: beyond a bound for each
address the connection goes that has been waiting longest, and a flood is faster than a handshake.
"""

import os
import random
import socket
import ssl
import statistics
import struct
import threading
import time

import psycopg

from churn import anonymous
from server import PATIENCE, Failure

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
GSS_REQUEST = struct.pack("!ii", 8, 80877104)


def startup(**settings):
    body = struct.pack("!i", 196608) + b"".join(
        key.encode() + b"\0" + value.encode() + b"\0" for key, value in settings.items()) + b"\0"
    return struct.pack("!i", len(body) + 4) + body


class Hostile:
    """Waves of one kind of abuse each, for some seconds."""

    def __init__(self, server, seconds):
        self.server = server
        self.seconds = seconds
        self.counts = {}
        self.honest = []
        self.failures = []
        self.over = threading.Event()

    def run(self):
        server = self.server
        server.start()
        server.wait_for("postgres@main")
        self.wave("warm-up", self.wrong_password, 4)
        process = server.process.pid
        before = self.holds(process)
        honest = threading.Thread(target=self.knock)
        honest.start()
        # A session that others try to cancel.
        sleeper = threading.Thread(target=self.sleep)
        sleeper.start()
        for name, attack, count in (
            ("silent", self.silent, 1500), ("slow", self.slow, 300),
            ("half-closed", self.half_closed, 40), ("huge", self.huge, 40),
            ("garbage", self.garbage, 40), ("in clear after SSLRequest", self.smuggle, 40),
            ("requests for TLS and GSS in turn", self.alternate, 20),
            ("TLS and then silent", self.silent_tls, 100),
            ("floods of start-up packets", self.flood, 40),
            ("wrong passwords", self.wrong_password, 16),
            ("cancel guesses", self.guess, 8),
        ):
            self.wave(name, attack, count)
        sleeper.join()
        self.over.set()
        honest.join()
        self.settle(process, before)
        if self.failures:
            raise Failure(f"{len(self.failures)} honest clients failed: {self.failures[0]}")
        if statistics.median(self.honest) > 1:
            raise Failure(f"honest clients waited {statistics.median(self.honest):.2f} s")
        server.stop()

    def table(self):
        rows = dict(self.counts)
        if self.honest:
            rows["honest clients let in"] = len(self.honest)
            rows["until the first row, p50"] = f"{statistics.median(self.honest) * 1000:.0f} ms"
            rows["until the first row, max"] = f"{max(self.honest) * 1000:.0f} ms"
        return rows

    @staticmethod
    def holds(process):
        return {"descriptors": len(os.listdir(f"/proc/{process}/fd")),
                "threads": len(os.listdir(f"/proc/{process}/task")),
                "memory MiB": anonymous(process) >> 10}

    def settle(self, process, before):
        """Waits until what the waves took is given back."""
        until = time.monotonic() + PATIENCE
        # The pools of threads that wait are filled when they are needed first.
        allowed = {"descriptors": 4, "threads": 12, "memory MiB": 32}
        while True:
            after = self.holds(process)
            grown = [name for name in allowed if after[name] > before[name] + allowed[name]]
            if not grown:
                break
            if time.monotonic() > until:
                raise Failure(f"{grown} grew: {before}, {after}")
            time.sleep(0.5)
        for name, value in after.items():
            self.counts[f"{name}: before, after"] = f"{before[name]}, {value}"

    # The honest ones

    def knock(self):
        while not self.over.is_set():
            began = time.monotonic()
            try:
                # A process of its own: this one has many threads.
                self.server.run("main", "psql", "-X", "-c", "SELECT 1", "postgres")
                self.honest.append(time.monotonic() - began)
            except Failure as error:
                self.failures.append(error)
            time.sleep(0.05)

    def sleep(self):
        """Is at work through all waves; nobody's guess may end it."""
        try:
            self.server.run("main", "psql", "-X", "-c", f"SELECT pg_sleep({11 * self.seconds})",
                            "postgres")
        except Failure as error:
            self.failures.append(error)

    # The waves

    def wave(self, name, attack, count):
        until = time.monotonic() + self.seconds
        done, first = [0] * count, len(self.honest)

        def work(number):
            while time.monotonic() < until:
                try:
                    attack(until)
                except (OSError, ssl.SSLError, psycopg.Error):
                    pass
                done[number] += 1

        # Few threads for many sockets: those that only wait are opened by one.
        if attack in (self.silent, self.slow, self.silent_tls):
            attack(until, count)
            done = [count]
        else:
            threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        slowest = max(self.honest[first:], default=0) * 1000
        self.counts[name] = f"{sum(done)}, honest clients at most {slowest:.0f} ms"

    def open(self):
        address = self.server.address
        return socket.create_connection(
            (address["host"], address["port"]), timeout=5, source_address=("127.0.0.2", 0))

    @staticmethod
    def drain(peer):
        """Reads to the end, as long as that comes soon."""
        while peer.recv(65536):
            pass

    def held(self, until, count, begin, more=None):
        peers = []
        try:
            for _ in range(count):
                try:
                    peers.append(begin())
                except OSError:
                    continue
            while time.monotonic() < until:
                for peer in peers if more else []:
                    try:
                        peer.send(more)
                    except OSError:
                        continue
                time.sleep(0.2)
        finally:
            for peer in peers:
                peer.close()

    def silent(self, until, count=1):
        self.held(until, count, self.open)

    def slow(self, until, count=1):
        self.held(until, count, self.open, b"\0")

    def silent_tls(self, until, count=1):
        self.held(until, count, self.tls)

    def tls(self):
        peer = self.open()
        peer.sendall(SSL_REQUEST)
        if peer.recv(1) != b"S":
            raise OSError("no TLS")
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(peer)

    def half_closed(self, _):
        with self.open() as peer:
            peer.sendall(startup(user="postgres", database="postgres")[: random.randrange(30)])
            peer.shutdown(socket.SHUT_WR)
            self.drain(peer)

    def huge(self, _):
        with self.open() as peer:
            length = random.choice((0, 7, 10_001, 1 << 24, (1 << 31) - 1, -1, -(1 << 31)))
            peer.sendall(struct.pack("!ii", length, 196608) + bytes(random.randrange(100_000)))
            self.drain(peer)

    def garbage(self, _):
        with self.open() as peer:
            peer.sendall(random.randbytes(random.randrange(1, 4000)))
            peer.shutdown(socket.SHUT_WR)
            self.drain(peer)

    def smuggle(self, _):
        with self.open() as peer:
            peer.sendall(SSL_REQUEST + startup(user="postgres", database="postgres"))
            self.drain(peer)

    def alternate(self, _):
        with self.open() as peer:
            peer.sendall((GSS_REQUEST + SSL_REQUEST) * 1000)
            self.drain(peer)

    def flood(self, _):
        with self.tls() as peer:
            peer.sendall(startup(user="postgres", database="postgres@main") * 50)
            self.drain(peer)

    def wrong_password(self, _):
        address = self.server.address
        psycopg.connect(
            host=address["host"], port=address["port"], dbname="postgres@main", sslmode="require",
            user=random.choice(("postgres", "nobody", "admin")), password="guess",
            connect_timeout=30,
        ).close()

    def guess(self, _):
        with self.open() as peer:
            peer.sendall(struct.pack(
                "!iiii", 16, 80877102, random.getrandbits(31), random.getrandbits(31)))
            self.drain(peer)


def hostile(server, seconds):
    attack = Hostile(server, seconds)
    try:
        attack.run()
    finally:
        attack.over.set()
        server.table = attack.table()
