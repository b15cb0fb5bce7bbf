#!/usr/bin/env bash
# pg_dump and pg_restore, in each format and with two jobs, from one database of a branch to
# another; what is restored is told apart by a dump of its own.
. "$(dirname "${BASH_SOURCE[0]}")/check.sh"
db=postgres@$BRANCH

psql -X -q -d "$db" <<'SQL'
CREATE TYPE mood AS ENUM ('fine', 'great');
CREATE TABLE person (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, name text UNIQUE,
    mood mood DEFAULT 'fine', photo bytea, born timestamptz, tags text[], more jsonb);
INSERT INTO person (name, photo, born, tags, more) SELECT 'name ' || n, decode(md5(n::text), 'hex'),
    '2026-04-08T22:56:02Z'::timestamptz + n * interval '1 hour', ARRAY['a', NULL, E'b\tc'],
    jsonb_build_object('n', n) FROM generate_series(1, 1000) n;
CREATE TABLE visit (person bigint REFERENCES person, at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE visit_2026 PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO visit SELECT n, '2026-05-05Z'::timestamptz + n * interval '1 minute'
    FROM generate_series(1, 1000) n;
CREATE VIEW fine AS SELECT id, name FROM person WHERE mood = 'fine';
CREATE MATERIALIZED VIEW visits AS SELECT person, count(*) FROM visit GROUP BY person;
CREATE FUNCTION twice(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 2 * $1; END';
CREATE INDEX ON person USING gin (more);
SELECT lo_from_bytea(4711, 'a large object') AS made \gset
SQL
# plain <database>: a dump that is the same for the same content. Its first line and its last are a
# secret of pg_dump's own; a sequence of a moment is up to 32 further, as after a crash.
plain() { pg_dump "$1" | grep -v '^\\' | sed '/^SELECT pg_catalog.setval/d'; }
plain "$db" >whole
ok "a plain dump ends" "-- PostgreSQL database dump complete" \
    "$(grep '^-- PostgreSQL database dump complete' whole)"
# restored <name> <command...>: a new database that a command fills is as the first is.
restored() {
    local name=$1
    shift
    said "$db" "CREATE DATABASE $name" >>said
    "$@" >out 2>&1 || { cat out; exit 1; }
    plain "$name@$BRANCH" >again
    ok "$name" "$(md5sum <whole)" "$(md5sum <again)"
}
pg_dump "$db" >plain.sql
restored plain psql -X -q -v ON_ERROR_STOP=1 -d "plain@$BRANCH" -f plain.sql
pg_dump -Fc "$db" -f custom.dump
restored custom pg_restore -d "custom@$BRANCH" custom.dump
pg_dump -Fd -j 2 "$db" -f folder
restored folder pg_restore -j 2 -d "folder@$BRANCH" folder
# Two jobs share one snapshot, and so does a dump of a moment that is past.
moment=$(psql -X -q -At -d oxbow -c "SHOW POINT $BRANCH AT 'head'" | cut -d '|' -f 1)
said "$db" 'DROP TABLE person CASCADE' >>said
PGOPTIONS="-c oxbow.branch=$BRANCH -c oxbow.at=$moment" pg_dump -Fc postgres -f past.dump 2>>said
restored past pg_restore -d "past@$BRANCH" past.dump
PGOPTIONS="-c oxbow.branch=$BRANCH" pg_dumpall --globals-only -l postgres >globals
ok "pg_dumpall" 1 "$(grep -c '^CREATE ROLE postgres' globals)"
