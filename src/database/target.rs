//! What is read: one database, who uses it, and which of its tables hold versions.
//!
//! Promises values that config or discovery has made valid. Refuses to know how they were found and how they are read.

use std::fmt;
use std::path::PathBuf;

use super::url::DatabaseUrl;
use crate::model::revision::DatabaseId;
use crate::model::service::ServiceId;

/// One database to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What it is called; two targets of one ID are one database.
    pub id: DatabaseId,
    /// Who uses it.
    pub services: Vec<ServiceId>,
    /// Where it is. A new address makes the reader connect again.
    pub url: DatabaseUrl,
    /// Which tables hold versions.
    pub tables: Tables,
    /// A PEM file of certificate authorities to trust beside the public ones; with it the server's certificate is verified.
    pub ca: Option<PathBuf>,
}

/// Which tables hold versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tables {
    /// All whose only column is `version_num`.
    Found,
    /// These, as `table` or `schema.table`; none is the same as [`Tables::Found`].
    Named(Vec<String>),
}

/// A table's name, quoted by each dialect in its own way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TableName {
    /// The schema, unless it is the default one.
    pub(super) schema: Option<String>,
    /// The table.
    pub(super) name: String,
}

impl TableName {
    /// From `table` or `schema.table`.
    pub(super) fn named(text: &str) -> Self {
        match text.split_once('.') {
            Some((schema, name)) => Self {
                schema: Some(schema.to_owned()),
                name: name.to_owned(),
            },
            None => Self {
                schema: None,
                name: text.to_owned(),
            },
        }
    }

    /// As an identifier for SQL, with `quote` around each part and doubled inside.
    pub(super) fn quoted(&self, quote: char) -> String {
        let part = |text: &str| {
            let doubled = text.replace(quote, &format!("{quote}{quote}"));
            format!("{quote}{doubled}{quote}")
        };
        match &self.schema {
            Some(schema) => format!("{}.{}", part(schema), part(&self.name)),
            None => part(&self.name),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TableName;

    #[test]
    fn identifiers_are_quoted_so_that_no_name_can_end_its_quotes() {
        for (text, quote, quoted) in [
            ("alembic_version", '`', "`alembic_version`"),
            ("app.alembic_version", '"', r#""app"."alembic_version""#),
            ("a`; DROP TABLE x", '`', "`a``; DROP TABLE x`"),
            (r#"a"b.c"d"#, '"', r#""a""b"."c""d""#),
        ] {
            assert_eq!(TableName::named(text).quoted(quote), quoted);
            assert_eq!(TableName::named(text).to_string(), text);
        }
    }
}
