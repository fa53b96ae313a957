"""The library on connections of many threads; under the thread sanitizer (tools/sanitized_tests.sh) also its races."""

from __future__ import annotations

from sqlamarr.native.library import library_path

LOADS = """
import sys, threading
import apsw
THREADS, TIMES = 8, 20
barrier, done = threading.Barrier(THREADS), []

def load():
    for _ in range(TIMES):
        barrier.wait(60)
        connection = apsw.Connection(":memory:")
        connection.enable_load_extension(True)
        connection.load_extension(sys.argv[1], "sqlite3_sqlamarr_init")
        done.append(connection.execute("SELECT norm2(3, 4, 0)").fetchone())
        connection.close()

threads = [threading.Thread(target=load) for _ in range(THREADS)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(done == [(5.0,)] * THREADS * TIMES)
"""


def test_many_threads_load_the_library(run_python):
    child = run_python("-c", LOADS, str(library_path()))
    assert (child.stdout, child.stderr, child.returncode) == ("True\n", "", 0)
