"""The services' web application: what the service is, and whether it can read its database.

GET / and GET /health; every other method is 405, every other path 404.
"""

import json
import os

from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from environment import database_url

SERVICE = os.path.basename(os.getcwd())

# Autocommit: a reader that keeps a transaction open would hold up the next migration's DDL.
_url = database_url()
_timeout = {"timeout": 2} if _url.drivername.startswith("sqlite") else {"connect_timeout": 2}
_engine = create_engine(_url, isolation_level="AUTOCOMMIT", pool_pre_ping=True, connect_args=_timeout)


def health() -> tuple[str, dict]:
    """Healthy while the database answers a query."""
    try:
        with _engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        print(f"health: the database cannot be read: {type(error).__name__}", flush=True)
        return "503 Service Unavailable", {"status": "unhealthy", "service": SERVICE, "database": "unreachable"}
    return "200 OK", {"status": "healthy", "service": SERVICE, "database": "ok"}


def overview() -> tuple[str, dict]:
    """The service and the tables in its database."""
    try:
        return "200 OK", {"service": SERVICE, "tables": sorted(inspect(_engine).get_table_names())}
    except SQLAlchemyError:
        return "503 Service Unavailable", {"service": SERVICE, "tables": None}


ROUTES = {"/": overview, "/health": health}


def application(environ, start_response):
    """The WSGI entry point."""
    route = ROUTES.get(environ["PATH_INFO"])
    headers = [("Content-Type", "application/json; charset=utf-8")]
    if route is None:
        status, body = "404 Not Found", {"error": "not found"}
    elif environ["REQUEST_METHOD"] != "GET":
        status, body = "405 Method Not Allowed", {"error": "method not allowed"}
        headers.append(("Allow", "GET"))
    else:
        status, body = route()
    payload = json.dumps(body, ensure_ascii=False).encode()
    headers.append(("Content-Length", str(len(payload))))
    start_response(status, headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [payload]
