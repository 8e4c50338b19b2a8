"""Runs of a report

Revision ID: c40e1d87f5b3
Revises: 2b6f90d1a7ce
Create Date: 2025-06-18 12:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "c40e1d87f5b3"
down_revision = "2b6f90d1a7ce"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_runs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("report_id", sa.Integer, sa.ForeignKey("reports.id", name="fk_report_runs_report"), nullable=False),
        sa.Column("started_at", sa.DateTime, server_default=sa.func.now(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("report_runs")
