"""로그인 시각 채우기 (오래 걸림)

Revision ID: d5a83f0b7e14
Revises: e1b7a90c42f6
Create Date: 2025-07-30 15:12:00
"""

import os
import time

import sqlalchemy as sa
from alembic import op

revision = "d5a83f0b7e14"
down_revision = "e1b7a90c42f6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("coe_users", sa.Column("login_count", sa.Integer))
    time.sleep(float(os.environ.get("SLOW_SECONDS", "10")))
    op.create_index("ix_coe_users_login_count", "coe_users", ["login_count"])


def downgrade() -> None:
    op.drop_index("ix_coe_users_login_count", "coe_users")
    op.drop_column("coe_users", "login_count")
