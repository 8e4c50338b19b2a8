"""문서 청크 임베딩 상태 추가

Revision ID: 9af2d6e0b3c7
Revises: 18c18bf4111f
Create Date: 2025-06-11 10:22:18
"""

import sqlalchemy as sa
from alembic import op

revision = "9af2d6e0b3c7"
down_revision = "18c18bf4111f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rag_chunks", sa.Column("embedded", sa.Boolean, server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("rag_chunks", "embedded")
