from alembic import op

revision = "4c7be1d95a02"
down_revision = "9af2d6e0b3c7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_rag_documents_path", "rag_documents", ["path"])


def downgrade() -> None:
    op.drop_index("ix_rag_documents_path", "rag_documents")
