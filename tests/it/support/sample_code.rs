//! What the code of the sample's services says.

use migwatch::model::revision::Revision;
use migwatch::model::status::{CodeStatus, PendingRevision, StandingWord, TableCode};

use super::sample_migrations::table;

/// The backend is two revisions behind; ragpipeline's table stands where only another image knows.
pub(crate) fn of(name: &str) -> CodeStatus {
    let is_rag = name == "coe-ragpipeline";
    let pending = |revision: &str, title: &str, destructive| PendingRevision {
        revision: Revision(revision.into()),
        title: Some(title.into()),
        destructive,
    };
    let standing = if is_rag {
        TableCode {
            table: table("alembic_version_rag"),
            word: StandingWord::Unknown,
            pending: Vec::new(),
            unknown: vec![Revision("beefc0ffee11".into())],
            known_by: vec!["coe-demo/coe-ragpipeline-next (migwatch-demo-app:next)".into()],
            reason: None,
        }
    } else {
        TableCode {
            table: table("alembic_version_backend"),
            word: StandingWord::Behind,
            pending: vec![
                pending("77aa88bb99cc", "사용자 별칭", false),
                pending("88bb99ccaadd", "drop <legacy>", true),
            ],
            unknown: Vec::new(),
            known_by: Vec::new(),
            reason: None,
        }
    };
    CodeStatus {
        environment: "default".into(),
        config: "/srv/backend/alembic.ini".into(),
        image: "migwatch-demo-app:latest".into(),
        revisions: 12,
        heads: if is_rag {
            vec![Revision("18c18bf4111f".into()), Revision("29d29cf5222a".into())]
        } else {
            vec![Revision("88bb99ccaadd".into())]
        },
        problems: if is_rag {
            vec!["dbmig/versions/b.py: line 3: its revision is computed".into()]
        } else {
            Vec::new()
        },
        tables: vec![standing],
    }
}
