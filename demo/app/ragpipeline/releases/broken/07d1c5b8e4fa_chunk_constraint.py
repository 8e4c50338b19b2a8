"""청크 제약 정리

Revision ID: 07d1c5b8e4fa
Revises: 63e8fa1d0c9b
Create Date: 2025-08-05 09:10:40
"""

import sqlalchemy as sa
from alembic import op

revision = "07d1c5b8e4fa"
down_revision = "63e8fa1d0c9b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rag_chunks", sa.Column("token_count", sa.Integer))
    # The defect: no release ever made this constraint.
    op.drop_constraint("fk_chunks_document_old", "rag_chunks", type_="foreignkey")


def downgrade() -> None:
    op.drop_column("rag_chunks", "token_count")
