"""초기 스키마: 사용자와 프로젝트

Revision ID: 7456428295d9
Revises: 
Create Date: 2025-05-12 10:14:03
"""

import sqlalchemy as sa
from alembic import op

revision = "7456428295d9"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "coe_users",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", sa.String(255), nullable=False, unique=True),
        sa.Column("created_at", sa.DateTime, server_default=sa.func.now(), nullable=False),
    )
    op.create_table(
        "coe_projects",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("owner_id", sa.Integer, sa.ForeignKey("coe_users.id", name="fk_coe_projects_owner"), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("coe_projects")
    op.drop_table("coe_users")
