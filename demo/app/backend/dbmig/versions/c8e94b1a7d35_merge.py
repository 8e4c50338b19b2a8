"""병합: 대화 기록과 프로젝트 색인

Revision ID: c8e94b1a7d35
Revises: a31f0c9be842, 5d20e7c1f6ab
Create Date: 2025-06-09 09:30:00
"""

revision = "c8e94b1a7d35"
down_revision = ("a31f0c9be842", "5d20e7c1f6ab")
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
