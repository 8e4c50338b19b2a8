"""Reports and their owners

Revision ID: 2b6f90d1a7ce
Revises: 
Create Date: 2025-06-02 08:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "2b6f90d1a7ce"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("owner", sa.String(100), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("reports")
