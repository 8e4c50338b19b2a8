"""사용자 마지막 로그인 시각 추가

Revision ID: e1b7a90c42f6
Revises: c8e94b1a7d35
Create Date: 2025-07-21 13:05:44
"""

import sqlalchemy as sa
from alembic import op

revision = "e1b7a90c42f6"
down_revision = "c8e94b1a7d35"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("coe_users", sa.Column("last_login_at", sa.DateTime))


def downgrade() -> None:
    op.drop_column("coe_users", "last_login_at")
