// The JDBC driver: prepared statements, batches, COPY, cursors, notifications, cancel, errors.

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.sql.Array;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Objects;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.copy.CopyManager;

public class Jdbc {
    static final String branch = System.getenv("BRANCH");
    static final String database = "postgres@" + branch;

    interface Body {
        void run() throws Exception;
    }

    static void ok(String what, Object expected, Object found) {
        if (!Objects.equals(expected, found)) {
            System.out.println(
                "not ok: " + what + ": expected [" + expected + "], found [" + found + "]");
            System.exit(1);
        }
        System.out.println("ok " + what);
    }

    static void fails(String what, String state, Body body) throws Exception {
        try {
            body.run();
        } catch (SQLException error) {
            ok(what, state, error.getSQLState());
            return;
        }
        ok(what, state, "no error");
    }

    static Connection connect(String database, String... more) throws SQLException {
        Properties settings = new Properties();
        settings.setProperty("user", System.getenv("PGUSER"));
        settings.setProperty("password", System.getenv("PGPASSWORD"));
        settings.setProperty("sslmode", "require");
        for (int i = 0; i < more.length; i += 2) settings.setProperty(more[i], more[i + 1]);
        return DriverManager.getConnection(
            "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/"
                + URLEncoder.encode(database, StandardCharsets.UTF_8),
            settings);
    }

    static String one(Connection session, String sql) throws SQLException {
        try (Statement statement = session.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    static void run(Connection session, String sql) throws SQLException {
        try (Statement statement = session.createStatement()) {
            statement.execute(sql);
        }
    }

    public static void main(String[] arguments) throws Exception {
        fails("wrong password", "28P01", () -> connect(database, "password", "no"));
        fails("unknown branch", "3D000", () -> connect("postgres@no-such-branch"));
        try (Connection session = connect(database)) {
            ok("connect", branch, one(session, "SHOW oxbow.branch"));
            ok("metadata", 15, session.getMetaData().getDatabaseMajorVersion());
            types(session);
            prepared(session);
            copies(session);
            cursors(session);
            errors(session);
        }
        try (Connection session = connect(database); Connection other = connect(database)) {
            notifications(session, other);
            cancel(session, other);
        }
        isolation();
        branches();
        System.exit(0);
    }

    static void types(Connection session) throws Exception {
        Instant moment = Instant.parse("2026-04-08T22:56:02Z");
        try (PreparedStatement statement = session.prepareStatement(
                "SELECT ?::int, ?::bigint, ?::numeric, ?::bool, ?::text, ?::bytea, ?::timestamptz,"
                    + " ?::int[], ?::text")) {
            statement.setInt(1, 7);
            statement.setLong(2, Long.MIN_VALUE);
            statement.setBigDecimal(3, new BigDecimal("1.50"));
            statement.setBoolean(4, true);
            statement.setString(5, "été ☃");
            statement.setBytes(6, new byte[] {0, -1});
            statement.setTimestamp(7, Timestamp.from(moment));
            statement.setArray(8, session.createArrayOf("int4", new Integer[] {1, null, 3}));
            statement.setNull(9, java.sql.Types.VARCHAR);
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                Array array = rows.getArray(8);
                ok("types",
                    "7 " + Long.MIN_VALUE + " 1.50 true été ☃ -1 " + moment + " 3 null",
                    rows.getInt(1) + " " + rows.getLong(2) + " " + rows.getBigDecimal(3) + " "
                        + rows.getBoolean(4) + " " + rows.getString(5) + " " + rows.getBytes(6)[1]
                        + " " + rows.getTimestamp(7).toInstant() + " "
                        + ((Integer[]) array.getArray())[2] + " " + rows.getString(9));
            }
        }
    }

    static void prepared(Connection session) throws Exception {
        run(session, "CREATE TABLE t (n int PRIMARY KEY, line text)");
        // From its fifth use on the driver prepares a statement on the server.
        try (PreparedStatement statement = session.prepareStatement("SELECT ? + 1")) {
            int sum = 0;
            for (int n = 0; n < 10; n++) {
                statement.setInt(1, n);
                try (ResultSet rows = statement.executeQuery()) {
                    rows.next();
                    sum += rows.getInt(1);
                }
            }
            ok("prepared statement", 55, sum);
            ok("on the server", "1", one(session,
                "SELECT count(*) FROM pg_prepared_statements WHERE statement ~ '\\+ 1'"));
        }
        // A batch is a pipeline.
        try (PreparedStatement statement = session.prepareStatement(
                "INSERT INTO t VALUES (?, 'batch')")) {
            for (int n = 1; n <= 5000; n++) {
                statement.setInt(1, n);
                statement.addBatch();
            }
            ok("batch", 5000, statement.executeBatch().length);
        }
    }

    static void copies(Connection session) throws Exception {
        CopyManager copies = session.unwrap(PGConnection.class).getCopyAPI();
        StringBuilder lines = new StringBuilder();
        for (int n = 5001; n <= 10000; n++) lines.append(n).append("\tcopy\n");
        byte[] bytes = lines.toString().getBytes(StandardCharsets.UTF_8);
        ok("copy in", 5000L, copies.copyIn("COPY t FROM STDIN", new ByteArrayInputStream(bytes)));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        copies.copyOut("COPY (SELECT * FROM t WHERE line = 'copy' ORDER BY n) TO STDOUT", out);
        ok("copy out", lines.toString(), out.toString(StandardCharsets.UTF_8));
    }

    static void cursors(Connection session) throws Exception {
        session.setAutoCommit(false);
        try (Statement statement = session.createStatement()) {
            statement.setFetchSize(777);
            long sum = 0;
            try (ResultSet rows = statement.executeQuery("SELECT n FROM t")) {
                while (rows.next()) sum += rows.getInt(1);
            }
            ok("portal in pieces", 50005000L, sum);
        }
        session.commit();
    }

    static void errors(Connection session) throws Exception {
        run(session, "UPDATE t SET line = 'changed' WHERE n = 1");
        Savepoint savepoint = session.setSavepoint();
        fails("unique violation", "23505", () -> run(session, "INSERT INTO t VALUES (1)"));
        fails("failed transaction", "25P02", () -> one(session, "SELECT 1"));
        session.rollback(savepoint);
        session.commit();
        session.setAutoCommit(true);
        ok("savepoint", "changed", one(session, "SELECT line FROM t WHERE n = 1"));
    }

    static void notifications(Connection session, Connection other) throws Exception {
        run(session, "LISTEN news");
        run(other, "NOTIFY news, 'hello'");
        PGNotification[] notes = session.unwrap(PGConnection.class).getNotifications(30000);
        ok("notify", "hello", notes[0].getParameter());
    }

    static void cancel(Connection session, Connection other) throws Exception {
        try (Statement statement = session.createStatement()) {
            Thread canceller = new Thread(() -> {
                try {
                    while (one(other, "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
                            + " AND query ~ 'pg_sleep' AND pid <> pg_backend_pid()").equals("0")) {}
                    statement.cancel();
                } catch (SQLException error) {
                    System.out.println("not ok: " + error);
                }
            });
            canceller.start();
            fails("cancel", "57014", () -> statement.executeQuery("SELECT pg_sleep(60)"));
            canceller.join();
            ok("goes on", "1", one(session, "SELECT 1"));
        }
    }

    static void isolation() throws Exception {
        try (Connection one = connect(database); Connection other = connect(database)) {
            for (Connection session : new Connection[] {one, other}) {
                session.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
                session.setAutoCommit(false);
                one(session, "SELECT sum(n) FROM t");
            }
            run(one, "INSERT INTO t VALUES (-1)");
            run(other, "INSERT INTO t VALUES (-2)");
            one.commit();
            fails("serialization failure", "40001", other::commit);
        }
    }

    static void branches() throws Exception {
        String moment;
        try (Connection console = connect("oxbow", "preferQueryMode", "simple")) {
            moment = one(console, "SHOW POINT " + branch + " AT 'head'");
        }
        try (Connection console = connect("oxbow")) {
            ok("console, extended", true, one(console, "SHOW BRANCHES") != null);
        }
        try (Connection session = connect(database)) {
            run(session, "DELETE FROM t");
        }
        try (Connection past = connect(database + "@" + moment)) {
            ok("a moment", "10001", one(past, "SELECT count(*) FROM t"));
            fails("is read-only", "25006", () -> run(past, "DELETE FROM t"));
            ok("told what it snapped to", true,
                past.getWarnings() == null || past.getWarnings().getMessage().contains("record"));
        }
        try (Connection fork = connect(database + "+")) {
            run(fork, "INSERT INTO t VALUES (1)");
            ok("a throw-away fork", "1", one(fork, "SELECT count(*) FROM t"));
        }
        try (Connection session = connect(database)) {
            ok("is gone", "0", one(session, "SELECT count(*) FROM t"));
        }
    }
}
