"""프로젝트 할당량 추가

Revision ID: b90d4e6a1c28
Revises: c8e94b1a7d35
Create Date: 2025-07-22 08:51:30
"""

import sqlalchemy as sa
from alembic import op

revision = "b90d4e6a1c28"
down_revision = "c8e94b1a7d35"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("coe_projects", sa.Column("quota", sa.Integer))


def downgrade() -> None:
    op.drop_column("coe_projects", "quota")
