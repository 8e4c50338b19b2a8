"""프로젝트 이름 색인 추가

Revision ID: 5d20e7c1f6ab
Revises: 7456428295d9
Create Date: 2025-06-05 11:02:27
"""

from alembic import op

revision = "5d20e7c1f6ab"
down_revision = "7456428295d9"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_coe_projects_name", "coe_projects", ["name"])


def downgrade() -> None:
    op.drop_index("ix_coe_projects_name", "coe_projects")
