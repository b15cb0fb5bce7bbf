// node-postgres: clients, a pool, prepared statements, cursors, streams, LISTEN, errors.
'use strict';
const { Client, Pool } = require('pg');
const Cursor = require('pg-cursor');
const { env } = process;
const branch = env.BRANCH;

function ok(what, expected, found) {
  const [one, other] = [JSON.stringify(expected), JSON.stringify(found)];
  if (one !== other) {
    console.log(`not ok: ${what}: expected ${one}, found ${other}`);
    process.exit(1);
  }
  console.log('ok', what);
}

async function fails(what, code, promise) {
  const found = await promise.then(() => 'no error', (error) => error.code);
  ok(what, code, found);
}

const settings = (database) => ({
  host: env.PGHOST, port: Number(env.PGPORT), user: env.PGUSER, password: env.PGPASSWORD,
  database, ssl: { rejectUnauthorized: false },
});

async function withClient(database, body) {
  const client = new Client(settings(database));
  await client.connect();
  try { await body(client); } finally { await client.end(); }
}

async function main() {
  const database = `postgres@${branch}`;
  const byURL = new Client({ connectionString: env.URL });
  await byURL.connect();
  ok('connect by URL', branch, (await byURL.query('SHOW oxbow.branch')).rows[0]['oxbow.branch']);
  await byURL.end();

  await fails('wrong password', '28P01', new Client({ ...settings(database), password: 'no' }).connect());
  await fails('unknown branch', '3D000', new Client(settings('postgres@no-such-branch')).connect());

  await withClient(database, async (client) => {
    const values = [7, '9007199254740993', 1.5, true, null, 'été ☃', Buffer.from([0, 255]),
      new Date('2026-04-08T22:56:02Z'), [1, 2], { a: [1, null] }];
    const { rows } = await client.query(
      'SELECT $1::int, $2::bigint, $3::float8, $4::bool, $5::text, $6::text, $7::bytea, ' +
      '$8::timestamptz, $9::int[], $10::jsonb', values);
    ok('types', values, Object.values((await client.query({
      text: 'SELECT $1::int a, $2::bigint b, $3::float8 c, $4::bool d, $5::text e, $6::text f, ' +
        '$7::bytea g, $8::timestamptz h, $9::int[] i, $10::jsonb j', values })).rows[0]));
    ok('one row', 1, rows.length);

    const named = { name: 'plus', text: 'SELECT $1::int + 1 AS n' };
    for (let n = 0; n < 5; n += 1) await client.query({ ...named, values: [n] });
    ok('prepared statement', 42, (await client.query({ ...named, values: [41] })).rows[0].n);
    ok('prepared once', '1',
      (await client.query('SELECT count(*) FROM pg_prepared_statements')).rows[0].count);

    await client.query('CREATE TABLE t (n int PRIMARY KEY)');
    await client.query('INSERT INTO t SELECT generate_series(1, 10000)');
    await fails('unique violation', '23505', client.query('INSERT INTO t VALUES (1)'));
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    ok('isolation', 'repeatable read',
      (await client.query('SHOW transaction_isolation')).rows[0].transaction_isolation);
    await fails('error', '22012', client.query('SELECT 1/0'));
    await fails('failed transaction', '25P02', client.query('SELECT 1'));
    await client.query('ROLLBACK');

    const cursor = client.query(new Cursor('SELECT n FROM t ORDER BY n'));
    let sum = 0;
    for (let rows = await cursor.read(999); rows.length > 0; rows = await cursor.read(999)) {
      for (const row of rows) sum += row.n;
    }
    await cursor.close();
    ok('cursor', 50005000, sum);

    // Queued: each is sent when the one before is answered.
    const many = await Promise.all(
      Array.from({ length: 200 }, (_, n) => client.query('SELECT $1::int AS n', [n])));
    ok('two hundred at once', 19900, many.reduce((sum, { rows }) => sum + rows[0].n, 0));

    const note = new Promise((resolve) => { client.once('notification', resolve); });
    await client.query('LISTEN news');
    await withClient(database, (other) => other.query("NOTIFY news, 'hello'"));
    ok('notify', ['news', 'hello'], await note.then((note) => [note.channel, note.payload]));

    const ident = (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
    const sleep = client.query('SELECT pg_sleep(60)');
    const told = fails('cancelled by another session', '57014', sleep);
    await withClient(database, async (other) => {
      for (;;) {
        const { rows } = await other.query(
          "SELECT pg_cancel_backend(pid) AS done FROM pg_stat_activity WHERE pid = $1 " +
          "AND state = 'active' AND query ~ 'pg_sleep'", [ident]);
        if (rows.length > 0) break;
      }
    });
    await told;
  });

  const pool = new Pool({ ...settings(database), max: 4 });
  const counts = await Promise.all(
    Array.from({ length: 40 }, () => pool.query('SELECT count(*)::int AS n FROM t')));
  ok('pool', 400000, counts.reduce((sum, { rows }) => sum + rows[0].n, 0));
  await pool.end();

  let moment;
  await withClient('oxbow', async (console) => {
    moment = Object.values((await console.query(`SHOW POINT ${branch} AT 'head'`)).rows[0])[0];
    const { rows } = await console.query('SHOW BRANCHES');
    ok('console', true, rows.some((row) => Object.values(row)[0] === branch));
  });
  await withClient(database, (client) => client.query('DELETE FROM t'));
  await withClient(`${database}@${moment}`, async (past) => {
    ok('a moment', 10000, (await past.query('SELECT count(*)::int AS n FROM t')).rows[0].n);
    await fails('is read-only', '25006', past.query('DELETE FROM t'));
  });
  await withClient(`${database}+`, async (fork) => {
    await fork.query('INSERT INTO t VALUES (1)');
    ok('a throw-away fork', 1, (await fork.query('SELECT count(*)::int AS n FROM t')).rows[0].n);
  });
  await withClient(database, async (client) => {
    ok('is gone', 0, (await client.query('SELECT count(*)::int AS n FROM t')).rows[0].n);
  });
}

main().catch((error) => {
  console.log('not ok:', error);
  process.exit(1);
});
