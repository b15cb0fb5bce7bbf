"""SQLAlchemy with psycopg2: URL, pool, metadata, ORM, savepoints, isolation, two-phase commit."""
import os
import threading

import psycopg2
import sqlalchemy as sa
from sqlalchemy import exc, orm

from check import branch, database, ok

text = os.environ["URL"].replace("postgresql:", "postgresql+psycopg2:") + "?sslmode=require"
ok("the URL is read as it is written", database, sa.engine.make_url(text).database)
engine = sa.create_engine(text, pool_size=3, max_overflow=1, pool_pre_ping=True, future=True)
with engine.connect() as one:
    ok("connect", branch, one.scalar(sa.text("SHOW oxbow.branch")))

# Through the console a branch is made, in a transaction and without, and entered.
for level, made in [(None, "made-1"), ("AUTOCOMMIT", "made-2")]:
    where = sa.engine.make_url(text)
    more = {"isolation_level": level} if level else {}
    console = sa.create_engine(
        where.set(database="oxbow"), pool_pre_ping=True, future=True, **more
    )
    for statement in [f"CREATE BRANCH {made} FROM {branch} TTL '1h'", f"DROP BRANCH {made}"]:
        with console.connect() as one:
            one.execute(sa.text(statement))
            names = [row[0] for row in one.execute(sa.text("SHOW BRANCHES"))]
            ok(statement.split()[0].lower(), "CREATE" in statement, made in names)
            ok("isolation of the console", "READ COMMITTED", one.get_isolation_level())
        if "CREATE" in statement:
            fork = sa.create_engine(where.set(database=f"postgres@{made}"))
            with fork.connect() as one:
                ok("made", made, one.scalar(sa.text("SHOW oxbow.branch")))
            fork.dispose()
    console.dispose()

Base = orm.declarative_base()


class Person(Base):
    __tablename__ = "person"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String(40), unique=True)
    tags = sa.Column(sa.ARRAY(sa.Text))
    more = sa.Column(sa.JSON)
    visits = orm.relationship("Visit", back_populates="person")


class Visit(Base):
    __tablename__ = "visit"
    id = sa.Column(sa.Integer, primary_key=True)
    person_id = sa.Column(sa.ForeignKey("person.id"))
    person = orm.relationship("Person", back_populates="visits")


Base.metadata.create_all(engine)
ok("inspect", ["person", "visit"], sorted(sa.inspect(engine).get_table_names()))
with orm.Session(engine, future=True) as session:
    session.add_all(
        Person(name=f"name {n}", tags=["a", None], more={"n": n}, visits=[Visit()])
        for n in range(100)
    )
    session.commit()
    found = session.scalars(sa.select(Person).where(Person.name == "name 7")).one()
    ok("object", (["a", None], {"n": 7}, 1), (found.tags, found.more, len(found.visits)))
    try:
        with session.begin_nested():
            session.add(Person(name="name 7"))
            session.flush()
    except exc.IntegrityError as error:
        ok("unique violation", "23505", error.orig.pgcode)
    session.add(Person(name="after"))
    session.commit()
    ok("after a savepoint", 101, session.scalar(sa.select(sa.func.count(Person.id))))

# More threads than the pool has sessions.
counts = []


def count():
    for _ in range(10):
        with engine.connect() as one:
            counts.append(one.scalar(sa.select(sa.func.count(Person.id))))


threads = [threading.Thread(target=count) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
ok("pool", [101] * 80, counts)

strict = engine.execution_options(isolation_level="SERIALIZABLE")
with strict.connect() as one:
    ok("isolation", "serializable", one.scalar(sa.text("SHOW transaction_isolation")))

# PostgreSQL refuses what has not been allowed with max_prepared_transactions.
with engine.connect() as one:
    transaction = one.begin_twophase("oxbow-1")
    one.execute(sa.insert(Person).values(name="two phases"))
    try:
        transaction.prepare()
        ok("two phases", "refused", "prepared")
    except exc.DBAPIError as error:
        ok("two phases are refused as by PostgreSQL", "55000", error.orig.pgcode)
        ok("with its hint", True, "max_prepared_transactions" in str(error.orig))

# A session that the server ended is found out by the pool.
with engine.connect() as one:
    ident = one.scalar(sa.text("SELECT pg_backend_pid()"))
with psycopg2.connect(os.environ["URL"]) as other:
    other.autocommit = True
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                       "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'")
with engine.connect() as one:
    ok("pre-ping", True, one.scalar(sa.text("SELECT pg_backend_pid()")) != ident)

with psycopg2.connect(os.environ["URL"]) as one, one.cursor() as cursor:
    with open("lines", "w") as lines:
        lines.writelines(f"{n}\tline {n}\n" for n in range(1000))
    cursor.execute("CREATE TABLE copied (n int, line text)")
    with open("lines") as lines:
        cursor.copy_from(lines, "copied")
    with open("again", "w") as again:
        cursor.copy_to(again, "copied")
    ok("copy both ways", open("lines").read(), open("again").read())
    with one.cursor("there") as there:
        there.itersize = 100
        there.execute("SELECT n FROM copied")
        ok("cursor on the server", 499500, sum(row[0] for row in there))
engine.dispose()
