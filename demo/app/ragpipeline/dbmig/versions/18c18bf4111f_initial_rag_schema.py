"""RAG 초기 스키마

Revision ID: 18c18bf4111f
Revises: 
Create Date: 2025-05-20 14:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "18c18bf4111f"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rag_documents",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("path", sa.String(500), nullable=False),
    )
    op.create_table(
        "rag_chunks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("document_id", sa.Integer, sa.ForeignKey("rag_documents.id", name="fk_rag_chunks_document"), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("rag_chunks")
    op.drop_table("rag_documents")
