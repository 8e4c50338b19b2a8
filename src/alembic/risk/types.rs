//! Reads a column's type, as SQL and as SQLAlchemy write it.
//!
//! Promises what a type can hold, as far as its name and its arguments say so. Refuses to know types of extensions and of a project's own:
//! those are only equal to themselves.
//!
//! Sources of the facts: "Data Types" in the manuals of MySQL, MariaDB, PostgreSQL and SQLite, `sqlalchemy.types`.

use crate::model::database::DatabaseKind;

/// What a type holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// Text of at most so many characters; without end if there is none.
    Text(Option<u64>),
    /// Bytes, likewise.
    Bytes(Option<u64>),
    Integer {
        bits: u32,
        is_unsigned: bool,
    },
    /// Digits before and behind the point; any if there are none.
    Decimal(Option<(u32, u32)>),
    /// A fraction of so many bits.
    Float(u32),
    Boolean,
    Date,
    Time,
    Timestamp {
        fraction: Option<u32>,
        is_zoned: bool,
    },
    Json,
    Uuid,
    /// One of these texts.
    Choice(Vec<String>),
    Other,
}

/// A type's name, what is in its parentheses, and what stands behind them.
struct Written<'a> {
    name: String,
    arguments: Vec<&'a str>,
    behind: String,
}

impl Type {
    pub(super) fn read(written: &str, kind: Option<DatabaseKind>) -> Self {
        let written = Written::read(written);
        let is_mysql = kind == Some(DatabaseKind::MySql);
        let length = || written.number(0, "length");
        // MySQL's plain kinds have an end: that of the smallest kind that holds the length which is given.
        let ending = || is_mysql.then(|| length().map_or(CLASSES[1], class));
        match written.name.as_str() {
            _ if written.behind.contains(['[', '.', '(']) || written.is_computed() => Self::Other,
            "string" | "varchar" | "character varying" | "char varying" | "nvarchar" | "unicode" => {
                Self::Text(length())
            }
            "char" | "character" | "nchar" | "bpchar" => Self::Text(length().or(Some(1))),
            "tinytext" => Self::Text(Some(255)),
            "text" | "clob" | "unicodetext" | "citext" => Self::Text(ending()),
            "mediumtext" => Self::Text(Some(16_777_215)),
            "longtext" => Self::Text(Some(4_294_967_295)),
            "binary" => Self::Bytes(length().or(Some(1))),
            "varbinary" => Self::Bytes(length()),
            "tinyblob" => Self::Bytes(Some(255)),
            "blob" | "largebinary" => Self::Bytes(ending()),
            "mediumblob" => Self::Bytes(Some(16_777_215)),
            "longblob" => Self::Bytes(Some(4_294_967_295)),
            "bytea" => Self::Bytes(None),
            "bool" | "boolean" => Self::Boolean,
            "date" => Self::Date,
            "time" | "timetz" => Self::Time,
            "datetime" | "timestamp" | "timestamptz" => written.timestamp(kind),
            "json" | "jsonb" => Self::Json,
            "uuid" => Self::Uuid,
            "enum" => written.choice(),
            name => match (bits(name), written.number(0, "precision")) {
                // SQLite's integers are all as long.
                (Some(_), _) if kind == Some(DatabaseKind::Sqlite) => Self::Integer {
                    bits: 64,
                    is_unsigned: false,
                },
                (Some(bits), _) => Self::Integer {
                    bits,
                    is_unsigned: written.has("unsigned"),
                },
                (None, precision) => number(name, precision, written.number(1, "scale"), is_mysql),
            },
        }
    }
}

/// How much MySQL's four kinds of text and bytes hold.
const CLASSES: [u64; 4] = [255, 65_535, 16_777_215, 4_294_967_295];

/// What the smallest kind holds that has room for `length`; MySQL takes `TEXT(70000)` for `MEDIUMTEXT`.
fn class(length: u64) -> u64 {
    let mut classes = CLASSES.into_iter();
    classes.find(|most| length <= *most).unwrap_or(CLASSES[3])
}

fn bits(name: &str) -> Option<u32> {
    Some(match name {
        "tinyint" => 8,
        "smallint" | "smallinteger" | "int2" | "smallserial" => 16,
        "mediumint" => 24,
        "int" | "integer" | "int4" | "serial" => 32,
        "bigint" | "biginteger" | "int8" | "bigserial" => 64,
        _ => return None,
    })
}

/// What is no whole number. MySQL's `DECIMAL` has ten digits, its `FLOAT` is short and its `REAL` long, other than PostgreSQL's.
fn number(name: &str, precision: Option<u64>, scale: Option<u64>, is_mysql: bool) -> Type {
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    match name {
        "decimal" | "numeric" | "dec" => {
            let precision = precision.map(small).or(is_mysql.then_some(10));
            let scale = scale.map_or(0, small);
            Type::Decimal(precision.map(|precision| (precision.saturating_sub(scale), scale)))
        }
        "float" if precision.is_some_and(|bits| bits > 24) => Type::Float(53),
        "float" if is_mysql || precision.is_some() => Type::Float(24),
        "float4" => Type::Float(24),
        "real" => Type::Float(if is_mysql { 53 } else { 24 }),
        "float" | "double" | "double precision" | "float8" | "double_precision" => Type::Float(53),
        _ => Type::Other,
    }
}

impl<'a> Written<'a> {
    fn read(written: &'a str) -> Self {
        let (name, rest) = written.split_at(written.find('(').unwrap_or(written.len()));
        let (arguments, behind) = parenthesised(rest);
        // sa.String, sqlalchemy.dialects.mysql.VARCHAR
        let name = name.rsplit('.').next().unwrap_or(name).to_lowercase();
        let mut words: Vec<&str> = name.split_whitespace().collect();
        let mut behind = behind.to_lowercase();
        // What SQL writes behind the parentheses, it may also write without any.
        for (at, word) in words.iter().enumerate() {
            if at > 0 && matches!(*word, "unsigned" | "signed" | "zerofill" | "with" | "without") {
                behind = words.split_off(at).join(" ");
                break;
            }
        }
        let mut name = words.join(" ");
        if let Some(element) = name.strip_suffix("[]") {
            name = element.to_owned();
            "[]".clone_into(&mut behind);
        }
        Self {
            name,
            arguments,
            behind,
        }
    }

    /// The argument at this place, or of this name.
    fn number(&self, place: usize, name: &str) -> Option<u64> {
        let named = self
            .arguments
            .iter()
            .find_map(|argument| argument.strip_prefix(name)?.trim_start().strip_prefix('='));
        let placed = self.arguments.get(place).copied();
        named.or(placed)?.trim().parse().ok()
    }

    /// A number in it is no literal: `String(LENGTH)`.
    fn is_computed(&self) -> bool {
        self.arguments.iter().any(|argument| {
            let (name, value) = argument.split_once('=').unwrap_or(("", argument));
            let counts = matches!(name.trim(), "" | "length" | "precision" | "scale" | "fsp");
            let value = value.trim();
            counts && !value.starts_with(['\'', '"']) && value != "None" && value.parse::<u64>().is_err()
        })
    }

    fn has(&self, word: &str) -> bool {
        let named = |argument: &&str| {
            let argument: String = argument.split_whitespace().collect();
            argument == format!("{word}=True")
        };
        self.behind.split_whitespace().any(|behind| behind == word) || self.arguments.iter().any(named)
    }

    fn timestamp(&self, kind: Option<DatabaseKind>) -> Type {
        let given = self.number(0, "precision").or_else(|| self.number(0, "fsp"));
        let usual = match kind {
            Some(DatabaseKind::MySql) => Some(0),
            Some(DatabaseKind::PostgreSql) => Some(6),
            _ => None,
        };
        let fraction = given.and_then(|given| u32::try_from(given).ok()).or(usual);
        let is_zoned = self.name == "timestamptz" || self.behind.starts_with("with ") || self.has("timezone");
        Type::Timestamp { fraction, is_zoned }
    }

    fn choice(&self) -> Type {
        let quoted = |argument: &&str| {
            let argument = argument.trim();
            let quote = argument
                .chars()
                .next()
                .filter(|quote| matches!(quote, '\'' | '"'))?;
            Some(argument.strip_prefix(quote)?.strip_suffix(quote)?.to_owned())
        };
        let values: Vec<String> = self.arguments.iter().filter_map(quoted).collect();
        // sa.Enum(Colour) has its values elsewhere; a text that was cut has not all of them.
        let is_whole = self
            .arguments
            .iter()
            .all(|argument| quoted(argument).is_some() || argument.contains('='));
        if values.is_empty() || !is_whole {
            Type::Other
        } else {
            Type::Choice(values)
        }
    }
}

/// What commas separate in the parentheses that `text` begins with, and what is behind them.
fn parenthesised(text: &str) -> (Vec<&str>, &str) {
    let Some(inside) = text.strip_prefix('(') else {
        return (Vec::new(), text);
    };
    let mut arguments = Vec::new();
    let (mut depth, mut start, mut quote) = (0_usize, 0, None);
    for (at, letter) in inside.char_indices() {
        let end = matches!((letter, depth, quote), (',' | ')', 0, None));
        if end {
            let argument = inside.get(start..at).unwrap_or_default().trim();
            arguments.extend(Some(argument).filter(|argument| !argument.is_empty()));
            start = at + 1;
        }
        match letter {
            ')' if end => return (arguments, inside.get(start..).unwrap_or_default().trim()),
            '\'' | '"' if quote.is_none() => quote = Some(letter),
            _ if quote == Some(letter) => quote = None,
            '(' if quote.is_none() => depth += 1,
            ')' if quote.is_none() => depth -= 1,
            _ => {}
        }
    }
    // Cut: nothing in it is certain.
    (Vec::new(), text)
}
