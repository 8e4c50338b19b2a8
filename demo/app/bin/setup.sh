#!/bin/sh
# What the start command does first: installs the releases named in RELEASES, then waits for the database's port.
set -eu

for name in ${RELEASES:-}; do release "$name"; done
exec python3 - <<'PYTHON'
import os, socket, sys, time

from environment import database_url

url = database_url()
deadline = time.monotonic() + float(os.environ.get("SETUP_WAIT_SECONDS", "60"))
port = url.port or {"mysql": 3306, "mariadb": 3306, "postgresql": 5432}.get(url.get_backend_name())
while url.host and time.monotonic() < deadline:
    try:
        socket.create_connection((url.host, port), timeout=2).close()
        break
    except OSError as error:
        reason = error
        time.sleep(0.5)
else:
    if url.host and float(os.environ.get("SETUP_WAIT_SECONDS", "60")) > 0:
        sys.exit(f"setup: no database at {url.host}:{port}: {reason}")
PYTHON
