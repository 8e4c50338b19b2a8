//! Which class of cause an error belongs to, by its code, else by its sentence.
//!
//! Sources: `MariaDB`'s and `MySQL`'s error code lists; `PostgreSQL`'s Appendix A, whose condition names are the drivers' class names;
//! `SQLite`'s and Alembic's own sentences.

use crate::model::cause::CauseClass;

/// The class of an error with this `code` and `sentence`.
pub(super) fn class(code: Option<&str>, sentence: &str) -> CauseClass {
    code.and_then(by_code)
        .or_else(|| by_sentence(sentence))
        .unwrap_or(CauseClass::Other)
}

fn by_code(code: &str) -> Option<CauseClass> {
    Some(match code {
        "1091" | "1051" | "UndefinedObject" => CauseClass::DropMissing,
        "1060" | "DuplicateColumn" => CauseClass::DuplicateColumn,
        "1050" | "DuplicateTable" => CauseClass::TableExists,
        "1062" | "UniqueViolation" => CauseClass::DuplicateEntry,
        "1205" | "3572" | "LockNotAvailable" => CauseClass::LockTimeout,
        "2002"
        | "2003"
        | "2005"
        | "2006"
        | "2013"
        | "2055"
        | "CannotConnectNow"
        | "ConnectionFailure"
        | "ConnectionDoesNotExist"
        | "AdminShutdown" => CauseClass::CannotConnect,
        "1044"
        | "1045"
        | "1142"
        | "1143"
        | "1227"
        | "1698"
        | "InsufficientPrivilege"
        | "InvalidPassword"
        | "InvalidAuthorizationSpecification" => CauseClass::AccessDenied,
        _ => return None,
    })
}

/// Parts of sentences in lower case, most telling first.
const SENTENCES: &[(&str, CauseClass)] = &[
    ("can't locate revision identified by", CauseClass::UnknownRevision),
    ("no such revision or branch", CauseClass::UnknownRevision),
    ("multiple head revisions are present", CauseClass::MultipleHeads),
    ("multiple heads are present", CauseClass::MultipleHeads),
    (
        "overlaps with other requested revisions",
        CauseClass::MultipleHeads,
    ),
    ("expected to match one row when updating", CauseClass::Race),
    ("password authentication failed", CauseClass::AccessDenied),
    ("no pg_hba.conf entry", CauseClass::AccessDenied),
    ("access denied", CauseClass::AccessDenied),
    ("permission denied", CauseClass::AccessDenied),
    ("no such index", CauseClass::DropMissing),
    ("duplicate column name", CauseClass::DuplicateColumn),
    ("unique constraint failed", CauseClass::DuplicateEntry),
    ("database is locked", CauseClass::LockTimeout),
    ("lock timeout", CauseClass::LockTimeout),
    ("lock wait timeout", CauseClass::LockTimeout),
    ("connection refused", CauseClass::CannotConnect),
    ("could not connect", CauseClass::CannotConnect),
    ("can't connect", CauseClass::CannotConnect),
    ("could not translate host name", CauseClass::CannotConnect),
    ("failed to resolve host", CauseClass::CannotConnect),
    ("name or service not known", CauseClass::CannotConnect),
    ("connection timed out", CauseClass::CannotConnect),
    ("connection timeout", CauseClass::CannotConnect),
    ("lost connection", CauseClass::CannotConnect),
    ("server closed the connection", CauseClass::CannotConnect),
    ("the database system is starting up", CauseClass::CannotConnect),
    ("unable to open database file", CauseClass::CannotConnect),
];

fn by_sentence(sentence: &str) -> Option<CauseClass> {
    let sentence = sentence.to_lowercase();
    let found = SENTENCES
        .iter()
        .find(|(part, _)| sentence.contains(part))
        .map(|(_, class)| *class);
    // SQLite: `table x already exists`.
    found.or_else(|| {
        (sentence.starts_with("table ") && sentence.ends_with(" already exists"))
            .then_some(CauseClass::TableExists)
    })
}

#[cfg(test)]
mod tests {
    use super::class;
    use crate::model::cause::CauseClass;

    #[test]
    fn a_code_says_more_than_a_sentence() {
        assert_eq!(class(Some("1091"), "connection refused"), CauseClass::DropMissing);
        assert_eq!(
            class(Some("9999"), "Connection refused"),
            CauseClass::CannotConnect
        );
        assert_eq!(class(None, "something else"), CauseClass::Other);
    }

    #[test]
    fn alembics_and_sqlites_sentences_are_known() {
        for (sentence, expected) in [
            (
                "Can't locate revision identified by 'abc'",
                CauseClass::UnknownRevision,
            ),
            (
                "Multiple head revisions are present for given argument 'head'; please",
                CauseClass::MultipleHeads,
            ),
            (
                "Requested revision a overlaps with other requested revisions b",
                CauseClass::MultipleHeads,
            ),
            (
                "Online migration expected to match one row when updating 'a' to 'b' in 't'; 0 found",
                CauseClass::Race,
            ),
            ("table users already exists", CauseClass::TableExists),
            ("duplicate column name: x", CauseClass::DuplicateColumn),
            ("Target database is not up to date.", CauseClass::Other),
        ] {
            assert_eq!(class(None, sentence), expected, "{sentence}");
        }
    }
}
