//! Compares what two types hold.
//!
//! Promises three answers: all values fit, some may not, cannot be told. Refuses to look at values: a table whose texts are all short
//! loses nothing when its column gets short.

use super::types::Type;
use crate::model::database::DatabaseKind;
use crate::model::redact::shorten;

/// The longest type that is shown, in characters.
const SHOWN: usize = 60;
/// Types that only MySQL and MariaDB have.
const OF_MYSQL: [&str; 9] = [
    "tinytext",
    "mediumtext",
    "longtext",
    "mediumint",
    "tinyint",
    "unsigned",
    "tinyblob",
    "mediumblob",
    "longblob",
];

/// Whether the values of one type fit into another.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fit {
    All,
    /// Some may not, and why.
    Less(String),
    /// Nothing tells, and why.
    Unknown(String),
}

/// Whether values of the type `from` fit into `to`, both as written.
pub(super) fn fit(from: &str, to: &str, kind: Option<DatabaseKind>) -> Fit {
    let plain = |written: &str| written.split_whitespace().collect::<String>().to_lowercase();
    let (plain_from, plain_to) = (plain(from), plain(to));
    // In quotes, case and blanks are part of a value.
    let is_same = from.trim() == to.trim() || (plain_from == plain_to && !to.contains(['\'', '"']));
    if is_same && !to.contains('…') {
        return Fit::All;
    }
    let names_mysql = OF_MYSQL
        .iter()
        .any(|name| plain_from.contains(name) || plain_to.contains(name));
    let kind = kind.or(names_mysql.then_some(DatabaseKind::MySql));
    let (shown_from, shown_to) = (shorten(from, SHOWN), shorten(to, SHOWN));
    match holds(&Type::read(to, kind), &Type::read(from, kind), kind) {
        Some(true) => Fit::All,
        Some(false) => Fit::Less(format!("{shown_to} does not hold every value of {shown_from}")),
        None => Fit::Unknown(format!(
            "whether {shown_to} holds every value of {shown_from} cannot be told"
        )),
    }
}

/// Whether the type `to` holds all values of `from`.
fn holds(to: &Type, from: &Type, kind: Option<DatabaseKind>) -> Option<bool> {
    use Type::{
        Boolean, Bytes, Choice, Date, Decimal, Float, Integer, Json, Other, Text, Time, Timestamp, Uuid,
    };
    let fits = match (to, from) {
        (Other, _) | (_, Other) | (Bytes(_), Text(_)) | (Text(_), Bytes(_)) => return None,
        // What moves between zones depends on the zone of the connection.
        (Timestamp { is_zoned: to, .. }, Timestamp { is_zoned: from, .. }) if to != from => return None,
        (Text(to), from) if !matches!(from, Text(_)) => return text_holds(*to, from),
        // SQLite keeps any text, however long the type says it may be.
        (Text(_), Text(_)) | (Bytes(_), Bytes(_)) if kind == Some(DatabaseKind::Sqlite) => true,
        (Text(to), Text(from)) | (Bytes(to), Bytes(from)) => at_least(*to, *from),
        // MySQL's BOOLEAN is TINYINT(1).
        (
            Boolean,
            Integer {
                bits: 8,
                is_unsigned: false,
            },
        ) => kind == Some(DatabaseKind::MySql),
        (Integer { .. }, Integer { .. }) => integer_holds(to, from),
        (Integer { .. }, Decimal(Some((before, 0)))) => integer_digits(to) >= *before,
        (Decimal(Some((before, _))), Integer { bits, .. }) => *before >= digits(*bits),
        (Decimal(Some(to)), Decimal(Some(from))) => to.0 >= from.0 && to.1 >= from.1,
        (Float(to), Float(from)) => to >= from,
        (Float(to), Integer { bits, .. }) => to >= bits,
        (Float(to), Decimal(Some((before, behind)))) => decimal_digits(*to) >= before.saturating_add(*behind),
        (Timestamp { fraction: to, .. }, Timestamp { fraction: from, .. }) => to.is_none() || to >= from,
        (Choice(to), Choice(from)) => from.iter().all(|value| to.contains(value)),
        (Decimal(None), Integer { .. } | Decimal(_) | Boolean)
        | (Integer { .. } | Boolean, Boolean)
        | (Timestamp { .. } | Date, Date)
        | (Time, Time)
        | (Json, Json)
        | (Uuid, Uuid) => true,
        _ => false,
    };
    Some(fits)
}

/// A limit that is none is the highest.
fn at_least(to: Option<u64>, from: Option<u64>) -> bool {
    match (to, from) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(to), Some(from)) => to >= from,
    }
}

/// Whether text of at most `most` characters holds what another type's values look like.
fn text_holds(most: Option<u64>, from: &Type) -> Option<bool> {
    let longest = match from {
        Type::Choice(values) => values
            .iter()
            .map(|value| value.chars().count())
            .max()
            .unwrap_or_default(),
        // Digits and a sign.
        Type::Integer { bits, .. } => usize::try_from(digits(*bits)).ok()? + 1,
        Type::Uuid => 36,
        Type::Date => 10,
        Type::Boolean => 5,
        _ => return most.is_none().then_some(true),
    };
    Some(at_least(most, u64::try_from(longest).ok()))
}

fn integer_holds(to: &Type, from: &Type) -> bool {
    match (to, from) {
        (
            Type::Integer {
                bits: to,
                is_unsigned: false,
            },
            Type::Integer {
                bits: from,
                is_unsigned: true,
            },
        ) => to > from,
        (
            Type::Integer {
                is_unsigned: true, ..
            },
            Type::Integer {
                is_unsigned: false, ..
            },
        ) => false,
        (Type::Integer { bits: to, .. }, Type::Integer { bits: from, .. }) => to >= from,
        _ => false,
    }
}

/// How many digits the longest integer has.
fn digits(bits: u32) -> u32 {
    match bits {
        0..=8 => 3,
        9..=16 => 5,
        17..=24 => 8,
        25..=32 => 10,
        _ => 20,
    }
}

/// How many digits any integer of this type may have.
fn integer_digits(to: &Type) -> u32 {
    match to {
        Type::Integer { bits, .. } => match bits {
            0..=8 => 2,
            9..=16 => 4,
            17..=24 => 6,
            25..=32 => 9,
            _ => 18,
        },
        _ => 0,
    }
}

/// How many decimal digits a binary fraction keeps.
fn decimal_digits(bits: u32) -> u32 {
    if bits >= 53 { 15 } else { 6 }
}

#[cfg(test)]
mod tests {
    use super::{Fit, fit};
    use crate::model::database::DatabaseKind;

    /// Whether `from` fits into `to`: `yes`, `no`, `?`.
    fn fits(from: &str, to: &str, kind: Option<DatabaseKind>) -> &'static str {
        match fit(from, to, kind) {
            Fit::All => "yes",
            Fit::Less(_) => "no",
            Fit::Unknown(_) => "?",
        }
    }

    fn check(rows: &[(&str, &str, &str)]) {
        for (from, to, expected) in rows {
            assert_eq!(fits(from, to, None), *expected, "{from} to {to}");
        }
    }

    #[test]
    fn a_text_or_an_integer_that_holds_less_loses_values() {
        check(&[
            ("VARCHAR(255)", "VARCHAR(20)", "no"),
            ("VARCHAR(20)", "varchar (255)", "yes"),
            ("VARCHAR(20)", "character varying(20)", "yes"),
            ("sa.String(length=255)", "sa.String(length=20)", "no"),
            ("sa.String(20)", "sa.Unicode(length = 255)", "yes"),
            ("sa.VARCHAR(collation='x', length=50)", "sa.String(40)", "no"),
            (
                "mysql.VARCHAR(charset='utf8', length=50)",
                "sa.String(length=50)",
                "yes",
            ),
            ("sa.String()", "sa.String(length=20)", "no"),
            ("sa.Text()", "sa.String(length=255)", "no"),
            ("sa.String(length=255)", "sa.Text()", "yes"),
            ("CHAR", "CHAR(2)", "yes"),
            ("CHAR(2)", "CHAR", "no"),
            ("LONGTEXT", "TEXT", "no"),
            ("mysql.LONGTEXT()", "sa.Text()", "no"),
            ("TEXT", "MEDIUMTEXT", "yes"),
            ("BIGINT", "INT", "no"),
            ("sa.BigInteger()", "sa.Integer()", "no"),
            ("sa.INTEGER", "sa.BigInteger()", "yes"),
            ("INT(11)", "BIGINT(20)", "yes"),
            ("INT UNSIGNED", "INT", "no"),
            ("INT", "INT UNSIGNED", "no"),
            ("INT(10) UNSIGNED", "BIGINT", "yes"),
            (
                "mysql.INTEGER(display_width=11, unsigned=True)",
                "sa.Integer()",
                "no",
            ),
            ("INT", "VARCHAR(5)", "no"),
            ("INT", "VARCHAR(11)", "yes"),
            ("VARCHAR(11)", "INT", "no"),
        ]);
    }

    #[test]
    fn mysql_takes_the_smallest_kind_that_holds_a_length() {
        let mysql = Some(DatabaseKind::MySql);
        for (from, to, expected) in [
            ("sa.Text(length=16777215)", "mysql.MEDIUMTEXT()", "yes"),
            ("mysql.MEDIUMTEXT()", "sa.Text(length=16777215)", "yes"),
            ("mysql.MEDIUMTEXT()", "sa.Text()", "no"),
            ("sa.Text(length=4294967295)", "sa.Text()", "no"),
            ("TEXT", "TEXT(200)", "no"),
            ("BLOB", "sa.LargeBinary(length=4294967295)", "yes"),
            ("sa.LargeBinary(length=65536)", "mysql.BLOB()", "no"),
        ] {
            assert_eq!(fits(from, to, mysql), expected, "{from} to {to}");
        }
    }

    #[test]
    fn the_values_of_an_enum_are_taken_as_they_are_written() {
        check(&[
            ("sa.Enum('Open', 'Shut')", "sa.Enum('open', 'shut')", "no"),
            ("sa.Enum('a b')", "sa.Enum('ab')", "no"),
            ("sa.Enum('a','b')", "sa.Enum('a', 'b')", "yes"),
            ("sa.Enum(Colour)", "sa.Enum( Colour )", "yes"),
        ]);
    }

    #[test]
    fn a_number_or_a_time_that_holds_less_loses_values() {
        check(&[
            ("NUMERIC(10, 2)", "NUMERIC(12, 2)", "yes"),
            ("NUMERIC(12, 4)", "NUMERIC(12, 2)", "no"),
            ("NUMERIC(10, 2)", "NUMERIC(10, 4)", "no"),
            (
                "sa.Numeric(precision=10, scale=2)",
                "sa.Numeric(precision=8, scale=2)",
                "no",
            ),
            ("sa.Numeric(10, 2)", "sa.Integer()", "no"),
            ("sa.Numeric(9, 0)", "sa.Integer()", "yes"),
            ("INT", "NUMERIC(8, 2)", "no"),
            ("INT", "NUMERIC(12, 2)", "yes"),
            ("double precision", "real", "no"),
            ("sa.Float()", "sa.Integer()", "no"),
            ("BIGINT", "DOUBLE", "no"),
            ("INT", "double precision", "yes"),
            ("DATETIME", "DATE", "no"),
            ("sa.DateTime(timezone=True)", "sa.Date()", "no"),
            ("DATE", "DATETIME", "yes"),
            ("DATETIME(6)", "DATETIME(3)", "no"),
            ("timestamp with time zone", "timestamp without time zone", "?"),
            ("sa.DateTime()", "sa.DateTime(timezone=True)", "?"),
            (
                "sa.Enum('a', 'b', name='x')",
                "sa.Enum('a', 'b', 'c', name='x')",
                "yes",
            ),
            ("ENUM('a','b')", "ENUM('a')", "no"),
            ("ENUM('a,)','b')", "VARCHAR(3)", "yes"),
            ("ENUM('a,)','b')", "VARCHAR(2)", "no"),
            ("sa.Enum(Colour)", "sa.Enum(Other)", "?"),
            ("BOOLEAN", "INTEGER", "yes"),
            ("INTEGER", "BOOLEAN", "no"),
            ("TINYINT(1)", "sa.Boolean()", "yes"),
            ("json", "jsonb", "yes"),
            ("jsonb", "text", "yes"),
            ("text", "jsonb", "no"),
            ("uuid", "varchar(36)", "yes"),
            ("uuid", "varchar(32)", "no"),
            ("BLOB", "TEXT", "?"),
            ("VARBINARY(20)", "VARBINARY(10)", "no"),
            ("integer[]", "integer", "?"),
            ("geometry(Point, 4326)", "geometry(Point,4326)", "yes"),
            ("geometry(Point)", "geography(Point)", "?"),
            ("VARCHAR(…)", "VARCHAR(…)", "?"),
            ("sa.String(20)", "sa.String(LENGTH)", "?"),
            ("sa.String(length=20)", "sa.String(length=a.b)", "?"),
            ("sa.String(length=None)", "sa.Text()", "yes"),
            (
                "sa.String(20).with_variant(sa.Text(), 'mysql')",
                "sa.String(10)",
                "?",
            ),
        ]);
    }

    #[test]
    fn the_database_decides_what_a_plain_type_holds() {
        let (mysql, postgres, sqlite) = (
            Some(DatabaseKind::MySql),
            Some(DatabaseKind::PostgreSql),
            Some(DatabaseKind::Sqlite),
        );
        assert_eq!(fits("VARCHAR(255)", "VARCHAR(20)", sqlite), "yes");
        assert_eq!(fits("BIGINT", "INTEGER", sqlite), "yes");
        assert_eq!(fits("BIGINT", "INTEGER", postgres), "no");
        assert_eq!(fits("DECIMAL", "DECIMAL(12, 0)", mysql), "yes");
        assert_eq!(fits("DECIMAL", "DECIMAL(12, 0)", postgres), "no");
        assert_eq!(fits("timestamp", "timestamp(3)", postgres), "no");
        assert_eq!(fits("DATETIME", "DATETIME(3)", mysql), "yes");
        assert_eq!(fits("double", "real", mysql), "yes");
        assert_eq!(fits("FLOAT", "REAL", mysql), "yes");
        assert_eq!(fits("FLOAT", "REAL", postgres), "no");
    }
}
