"""Alembic's environment of this service: which database, and which version table in it."""

from logging.config import fileConfig

from alembic import context
from sqlalchemy import create_engine, pool

from environment import configured, database_url

fileConfig(context.config.config_file_name, disable_existing_loggers=False)
options = configured(version_table="alembic_version_rag")

if context.is_offline_mode():
    context.configure(url=database_url(), literal_binds=True, **options)
    with context.begin_transaction():
        context.run_migrations()
else:
    engine = create_engine(database_url(), poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, **options)
        with context.begin_transaction():
            context.run_migrations()
