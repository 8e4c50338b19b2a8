"""문서 언어 열 추가

Revision ID: 63e8fa1d0c9b
Revises: 4c7be1d95a02
Create Date: 2025-07-21 13:40:02
"""

import sqlalchemy as sa
from alembic import op

revision = "63e8fa1d0c9b"
down_revision = "4c7be1d95a02"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rag_documents", sa.Column("language", sa.String(8)))


def downgrade() -> None:
    op.drop_column("rag_documents", "language")
