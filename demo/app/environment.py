"""Where the services find their database: DATABASE_URL, or one made of DB_HOST and its companions."""

import os

from sqlalchemy import URL, make_url


def database_url() -> URL:
    """The database of this container; a missing setting is named by the KeyError."""
    if url := os.environ.get("DATABASE_URL"):
        return make_url(url)
    return URL.create(
        drivername=os.environ.get("DB_DRIVER", "mysql+pymysql"),
        host=os.environ["DB_HOST"],
        port=int(os.environ["DB_PORT"]) if os.environ.get("DB_PORT") else None,
        username=os.environ["DB_USER"],
        password=os.environ["DB_PASSWORD"],
        database=os.environ["DB_NAME"],
    )


def configured(version_table: str) -> dict[str, str]:
    """Alembic's options of a service: its own version table, unless VERSION_TABLE names another."""
    return {"version_table": os.environ.get("VERSION_TABLE") or version_table}
