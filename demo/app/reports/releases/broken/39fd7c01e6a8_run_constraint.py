"""Tidy the constraint of runs

Revision ID: 39fd7c01e6a8
Revises: 8e52ba0f63d4
Create Date: 2025-08-06 12:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "39fd7c01e6a8"
down_revision = "8e52ba0f63d4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("report_runs", sa.Column("duration", sa.Integer))
    # The defect: no release ever made this constraint.
    op.drop_constraint("fk_runs_report_old", "report_runs", type_="foreignkey")


def downgrade() -> None:
    op.drop_column("report_runs", "duration")
