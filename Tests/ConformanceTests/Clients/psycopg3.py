"""psycopg 3: the extended protocol, pipelines, COPY, cursors on the server, LISTEN, cancel, 2PC."""
import datetime
import decimal
import logging
import threading
import time
import uuid

import psycopg
from psycopg import IsolationLevel, errors
from psycopg.pq import TransactionStatus
from psycopg.types import TypeInfo
from psycopg.types.json import Jsonb

from check import branch, database, fails, host, ok, password, port, user


# That a pipeline with an error in it ends in one is said on the way out, or not: as it comes.
logging.getLogger("psycopg").setLevel(logging.ERROR)


def connect(name=database, **more):
    return psycopg.connect(
        host=host, port=port, user=user, password=password, dbname=name, sslmode="require", **more
    )


with connect() as one:
    ok("connect", branch, one.execute("SHOW oxbow.branch").fetchone()[0])
    ok("server version", 15, one.info.server_version // 10000)

fails("wrong password", psycopg.OperationalError, None, lambda: psycopg.connect(
    host=host, port=port, user=user, password="no", dbname=database))

with connect() as one:
    values = (
        7, -(2**62), decimal.Decimal("1.50"), 0.1, True, None, "été ☃", b"\x00\xff",
        datetime.datetime(2026, 4, 8, 22, 56, 2, tzinfo=datetime.timezone.utc),
        datetime.date(2026, 4, 8), datetime.timedelta(hours=3), uuid.UUID(int=4711), [1, 2, 3],
    )
    marks = ("%s, %s::bigint, %s::numeric, %s::float8, %s, %s::text, %s::text, %s::bytea, "
             "%s::timestamptz, %s::date, %s::interval, %s::uuid, %s::int[]")
    for binary in (False, True):
        with one.cursor(binary=binary) as cursor:
            cursor.execute("SET TimeZone = 'UTC'")
            found = cursor.execute("SELECT " + marks, values).fetchone()
            ok("types, binary" if binary else "types, text", values, found)
    found = one.execute("SELECT %s::jsonb", (Jsonb({"a": [1, None]}),)).fetchone()
    ok("jsonb", ({"a": [1, None]},), found)

    for n in range(8):
        one.execute("SELECT %s::int + 1", (n,), prepare=True)
    ok("prepared statements", (1,),
       one.execute("SELECT count(*) FROM pg_prepared_statements").fetchone())

    one.execute("CREATE TABLE t (n bigint PRIMARY KEY, line text)")
    with one.cursor().copy("COPY t FROM STDIN") as copy:
        for n in range(20000):
            copy.write_row((n, "x" * 50))
    with one.cursor().copy("COPY t TO STDOUT (FORMAT binary)") as copy:
        ok("copy both ways", True, sum(len(part) for part in copy) > 20000 * 60)
    one.commit()
    ok("rows", (20000,), one.execute("SELECT count(*) FROM t").fetchone())

    with one.cursor(name="there") as cursor:
        cursor.itersize = 777
        cursor.execute("SELECT n FROM t ORDER BY n")
        ok("cursor on the server", 199990000, sum(row[0] for row in cursor))
    one.commit()

    fails("unique violation", errors.UniqueViolation, "23505",
          lambda: one.execute("INSERT INTO t VALUES (1)"))
    fails("failed transaction", errors.InFailedSqlTransaction, "25P02",
          lambda: one.execute("SELECT 1"))
    one.rollback()


def divide():
    with one.transaction():
        one.execute("SELECT 1/0")


with connect() as one:
    with one.transaction():
        one.execute("INSERT INTO t VALUES (-1)")
        fails("a savepoint", errors.DivisionByZero, "22012", divide)
    ok("what was before it", (1,), one.execute("SELECT count(*) FROM t WHERE n < 0").fetchone())

with connect() as one, connect() as other:
    for session in (one, other):
        session.isolation_level = IsolationLevel.SERIALIZABLE
        session.execute("SELECT sum(n) FROM t WHERE n < 10")
    one.execute("INSERT INTO t VALUES (-2)")
    other.execute("INSERT INTO t VALUES (-3)")
    one.commit()
    fails("serialization failure", errors.SerializationFailure, "40001", other.commit)

with connect(autocommit=True) as one:
    with one.pipeline() as pipeline:
        cursors = [one.execute("SELECT %s::int", (n,)) for n in range(500)]
        pipeline.sync()
        ok("pipeline", list(range(500)), [cursor.fetchone()[0] for cursor in cursors])

    def broken():
        with one.pipeline() as pipeline:
            one.execute("SELECT 1")
            one.execute("SELECT 1/0")
            one.execute("INSERT INTO t VALUES (-10)")
            pipeline.sync()

    fails("an error in a pipeline", errors.DivisionByZero, "22012", broken)
    ok("what comes after it is skipped", (0,),
       one.execute("SELECT count(*) FROM t WHERE n = -10").fetchone())

with connect(autocommit=True) as one, connect(autocommit=True) as other:
    one.execute("LISTEN news")
    other.execute("SELECT pg_notify('news', 'hello')")
    ok("notify", ("news", "hello"),
       next((note.channel, note.payload) for note in one.notifies()))

    def cancel():
        while not other.execute("SELECT 1 FROM pg_stat_activity WHERE query ~ 'pg_sleep' "
                                "AND state = 'active' AND pid <> pg_backend_pid()").fetchone():
            time.sleep(0.02)
        one.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    fails("cancel", errors.QueryCanceled, "57014", lambda: one.execute("SELECT pg_sleep(60)"))
    thread.join()
    ok("goes on", (1,), one.execute("SELECT 1").fetchone())

with connect("oxbow", autocommit=True) as console:
    lsn = console.execute(f"SHOW POINT {branch} AT 'head'").fetchone()[0]
    names = [row[0] for row in console.execute("SHOW BRANCHES")]
    ok("console", True, branch in names)
# What SQLAlchemy asks through this driver.
with connect("oxbow") as console:
    console.execute("SELECT pg_catalog.version()")
    ok("no types of extensions", None, TypeInfo.fetch(console, "hstore"))

    def nonsense():
        with console.transaction():
            console.execute("NONSENSE")

    fails("a savepoint of the console's", errors.SyntaxError, "42601", nonsense)
    ok("its transaction goes on", TransactionStatus.INTRANS, console.info.transaction_status)
with connect(autocommit=True) as one:
    one.execute("DELETE FROM t WHERE n >= 0")
with psycopg.connect(
    host=host, port=port, user=user, password=password, dbname=f"{database}@{lsn}",
    autocommit=True,
) as past:
    ok("a moment", (20000,), past.execute("SELECT count(*) FROM t WHERE n >= 0").fetchone())
    fails("is read-only", errors.ReadOnlySqlTransaction, "25006",
          lambda: past.execute("DELETE FROM t"))
with connect(database + "+", autocommit=True) as fork:
    fork.execute("INSERT INTO t VALUES (4711)")
    ok("a throw-away fork", (1,), fork.execute("SELECT count(*) FROM t WHERE n >= 0").fetchone())
with connect() as one:
    ok("is gone", (0,), one.execute("SELECT count(*) FROM t WHERE n >= 0").fetchone())
