"""
psycopg 3 (libpq underneath) through Sluice: the driver that is not JavaScript. Reads a connection
string from the command line; every check is a function; prints one JSON line per check.
"""

import json
import sys
import threading
import traceback

import psycopg
from psycopg.rows import tuple_row

CLIENTS = 20
CONNINFO = sys.argv[1]


def connect(**options):
    return psycopg.connect(CONNINFO, row_factory=tuple_row, **options)


def crowd(work):
    """Runs work(number) in twenty threads; the first error is raised."""
    errors = []
    results = [None] * CLIENTS

    def one(number):
        try:
            results[number] = work(number)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


def check_parameters():
    def work(number):
        with connect() as connection:
            for value in range(10):
                row = connection.execute(
                    "SELECT %s::int, %s::text, %s::bytea", (value, f"{number}-{value}", b"\x00\xff")
                ).fetchone()
                assert row == (value, f"{number}-{value}", b"\x00\xff"), row

    crowd(work)


def check_automatic_preparing():
    """The driver prepares what it sees for the third time, and deallocates what it forgets."""

    def work(number):
        with connect(prepare_threshold=2, autocommit=True) as connection:
            connection.prepared_max = 3
            for round in range(12):
                for text in range(5):
                    row = connection.execute(f"SELECT %s + {text}", (number,)).fetchone()
                    assert row == (number + text,), row

    crowd(work)


def check_prepare_at_once():
    def work(number):
        with connect() as connection:
            for value in range(10):
                row = connection.execute("SELECT %s * 2", (value,), prepare=True).fetchone()
                assert row == (value * 2,), row
                connection.commit()

    crowd(work)


def check_binary():
    with connect() as connection:
        cursor = connection.cursor(binary=True)
        row = cursor.execute("SELECT %b::int8, %b::float8, now()", (2**40, 1.5)).fetchone()
        assert row[:2] == (2**40, 1.5), row


def check_transactions():
    def work(number):
        with connect() as connection:
            with connection.transaction():
                connection.execute("INSERT INTO t VALUES (%s)", (number,))
                try:
                    with connection.transaction():
                        connection.execute("INSERT INTO t VALUES (%s)", (number + 1000,))
                        connection.execute("SELECT 1/0")
                except psycopg.errors.DivisionByZero:
                    pass
            rows = connection.execute(
                "SELECT n FROM t WHERE n IN (%s, %s)", (number, number + 1000)
            ).fetchall()
            assert rows == [(number,)], rows

    crowd(work)


def check_pipeline():
    def work(number):
        with connect(autocommit=True) as connection:
            with connection.pipeline():
                cursors = [connection.execute("SELECT %s::int", (n + number,)) for n in range(50)]
            assert [cursor.fetchone() for cursor in cursors] == [(n + number,) for n in range(50)]

    crowd(work)


def check_pipeline_error():
    with connect(autocommit=True) as connection:
        try:
            with connection.pipeline():
                connection.execute("INSERT INTO t VALUES (5000)")
                connection.execute("SELECT 1/0")
                connection.execute("INSERT INTO t VALUES (5001)")
            raise AssertionError("the pipeline did not fail")
        except psycopg.errors.DivisionByZero:
            pass
        rows = connection.execute("SELECT n FROM t WHERE n >= 5000").fetchall()
        assert rows == [], rows


def check_server_side_cursor():
    def work(number):
        with connect() as connection:
            with connection.cursor(name="slices") as cursor:
                cursor.itersize = 13
                cursor.execute("SELECT generate_series(1, %s)", (100 + number,))
                assert sum(1 for _ in cursor) == 100 + number

    crowd(work)


def check_cursor_with_hold():
    with connect() as connection:
        cursor = connection.cursor(name="held", withhold=True, scrollable=True)
        cursor.execute("SELECT generate_series(1, 10)")
        connection.commit()
        assert cursor.fetchmany(3) == [(1,), (2,), (3,)]
        cursor.scroll(5)
        assert cursor.fetchone() == (9,)
        cursor.close()


def check_copy():
    def work(number):
        with connect() as connection:
            connection.execute("CREATE TEMP TABLE copied (n int, t text)")
            with connection.cursor().copy("COPY copied FROM STDIN") as copy:
                for n in range(500):
                    copy.write_row((n, f"text\t{number}\n{n}"))
            with connection.cursor().copy("COPY copied TO STDOUT (FORMAT binary)") as copy:
                copy.set_types(["int4", "text"])
                rows = list(copy.rows())
            assert rows == [(n, f"text\t{number}\n{n}") for n in range(500)]

    crowd(work)


def check_copy_failure():
    with connect() as connection:
        try:
            with connection.cursor().copy("COPY t FROM STDIN") as copy:
                copy.write("no number\n")
            raise AssertionError("the COPY did not fail")
        except psycopg.errors.InvalidTextRepresentation:
            connection.rollback()
        try:
            with connection.cursor().copy("COPY t FROM STDIN") as copy:
                copy.write("1\n")
                raise KeyError("on purpose")
        except psycopg.errors.QueryCanceled as error:
            # The driver gives the COPY up with CopyFail and hands on what the server says to that.
            assert "on purpose" in str(error) or "KeyError" in str(error), error
            connection.rollback()
        assert connection.execute("SELECT 1").fetchone() == (1,)


def check_notifications():
    with connect(autocommit=True) as listener, connect(autocommit=True) as speaker:
        heard = []
        listener.add_notify_handler(lambda notification: heard.append(notification.payload))
        listener.execute("LISTEN news")
        speaker.execute("SELECT pg_notify('news', 'read all about it')")
        # It comes by itself at any time; with the answer of a statement at the latest.
        listener.execute("SELECT 1")
        assert heard == ["read all about it"], heard


def check_cancel():
    with connect(autocommit=True) as connection:
        timer = threading.Timer(0.3, connection.cancel)
        timer.start()
        try:
            connection.execute("SELECT pg_sleep(60)")
            raise AssertionError("it was not cancelled")
        except psycopg.errors.QueryCanceled:
            pass
        assert connection.execute("SELECT 1").fetchone() == (1,)


def check_isolation_levels():
    with connect() as connection:
        connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        connection.read_only = True
        connection.deferrable = True
        row = connection.execute(
            "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')"
        ).fetchone()
        assert row == ("serializable", "on"), row


def check_errors():
    with connect(autocommit=True) as connection:
        try:
            connection.execute("SELECT * FROM nowhere")
        except psycopg.errors.UndefinedTable as error:
            assert error.diag.message_primary == 'relation "nowhere" does not exist'
            assert error.diag.statement_position == "15"
        notices = []
        connection.add_notice_handler(lambda diagnostic: notices.append(diagnostic.message_primary))
        connection.execute("DO $$ BEGIN RAISE NOTICE 'noticed'; END $$")
        assert notices == ["noticed"], notices


def main():
    with connect(autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS t (n int)")
    for name, check in list(globals().items()):
        if not name.startswith("check_"):
            continue
        try:
            check()
            problem = None
        except Exception:
            problem = traceback.format_exc()
        print(json.dumps({"check": name.removeprefix("check_"), "problem": problem}), flush=True)


main()
