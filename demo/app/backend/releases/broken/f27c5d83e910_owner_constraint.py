"""프로젝트 소유자 제약 정리

Revision ID: f27c5d83e910
Revises: e1b7a90c42f6
Create Date: 2025-08-04 18:20:09
"""

import sqlalchemy as sa
from alembic import op

revision = "f27c5d83e910"
down_revision = "e1b7a90c42f6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("coe_projects", sa.Column("archived_at", sa.DateTime))
    # The defect: no release ever made this constraint.
    op.drop_constraint("fk_projects_owner_old", "coe_projects", type_="foreignkey")


def downgrade() -> None:
    op.drop_column("coe_projects", "archived_at")
