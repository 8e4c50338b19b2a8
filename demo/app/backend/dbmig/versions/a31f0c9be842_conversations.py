"""대화 기록 테이블 추가

Revision ID: a31f0c9be842
Revises: 7456428295d9
Create Date: 2025-06-03 16:40:51
"""

import sqlalchemy as sa
from alembic import op

revision = "a31f0c9be842"
down_revision = "7456428295d9"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "coe_conversations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("project_id", sa.Integer, sa.ForeignKey("coe_projects.id", name="fk_coe_conversations_project"), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("coe_conversations")
