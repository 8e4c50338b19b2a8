"""안 쓰는 것 정리

Revision ID: b7d20f93ac15
Revises: c8e94b1a7d35
Create Date: 2025-07-20 18:31:09
"""

import sqlalchemy as sa
from alembic import op

revision = "b7d20f93ac15"
down_revision = "c8e94b1a7d35"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What autogenerate writes where another service's tables lie in the same schema.
    op.drop_table("rag_chunks")
    op.drop_column("coe_projects", "name")


def downgrade() -> None:
    op.add_column("coe_projects", sa.Column("name", sa.String(200)))
