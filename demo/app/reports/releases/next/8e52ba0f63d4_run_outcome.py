"""Outcome of a run

Revision ID: 8e52ba0f63d4
Revises: c40e1d87f5b3
Create Date: 2025-07-22 12:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "8e52ba0f63d4"
down_revision = "c40e1d87f5b3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("report_runs", sa.Column("outcome", sa.String(20)))


def downgrade() -> None:
    op.drop_column("report_runs", "outcome")
