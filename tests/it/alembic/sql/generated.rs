//! Statements made up from a small grammar, each in the dialect that has it, with names, blanks and comments as people write them.
//! Refuses to make up what sqlparser is known not to take.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::strategy::Union;
use proptest::test_runner::{Config, TestRunner};

use super::reference::Dialect;

/// A share of all cases in hundredths: fewer compared ones are too few.
const COMPARED: usize = 90;

/// Gives generated statements to `compare`, which says how many changes it compared.
pub(super) fn compare(compare: impl Fn(Dialect, &str) -> Option<usize>) {
    let (cases, compared, changes) = (Cell::new(0_usize), Cell::new(0_usize), Cell::new(0_usize));
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::default()
    });
    let result = runner.run(&script(), |(dialect, sql)| {
        cases.set(cases.get() + 1);
        if let Some(found) = compare(dialect, &sql) {
            compared.set(compared.get() + 1);
            changes.set(changes.get() + found);
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let (cases, compared) = (cases.get(), compared.get());
    assert!(
        compared * 100 >= cases * COMPARED,
        "only {compared} of {cases} were compared"
    );
    assert!(
        changes.get() > cases,
        "only {} changes in {cases} cases",
        changes.get()
    );
}

/// Several statements of one dialect.
fn script() -> impl Strategy<Value = (Dialect, String)> {
    let dialects = prop::sample::select(vec![Dialect::Mysql, Dialect::Postgres, Dialect::Sqlite]);
    dialects.prop_flat_map(|dialect| {
        let statement =
            (statement(dialect), blank()).prop_map(|(statement, blank)| format!("{statement}{blank}"));
        let script = prop::collection::vec(statement, 1..4).prop_map(|statements| statements.join(";"));
        (Just(dialect), script)
    })
}

/// What may stand between two words.
fn blank() -> BoxedStrategy<String> {
    choice(&[
        " ",
        "\n",
        " /* DROP TABLE no; */ ",
        " -- ; DROP TABLE no\n",
        "  \t",
    ])
}

fn choice(words: &'static [&'static str]) -> BoxedStrategy<String> {
    prop::sample::select(words.to_vec())
        .prop_map(str::to_owned)
        .boxed()
}

fn text(text: &'static str) -> BoxedStrategy<String> {
    Just(text.to_owned()).boxed()
}

/// A name without a schema, quoted or not.
fn plain(dialect: Dialect) -> BoxedStrategy<String> {
    let quote = if dialect == Dialect::Mysql { '`' } else { '"' };
    let name = choice(&["users", "orders", "t1", "Invoices", "a_b", "주문"]);
    let quoted = choice(&["users", "odd name", "select", "drop table", "x;y"]);
    prop_oneof![3 => name, 1 => quoted.prop_map(move |name| format!("{quote}{name}{quote}"))].boxed()
}

/// A table's name, perhaps with a schema.
fn table(dialect: Dialect) -> BoxedStrategy<String> {
    let schema = (plain(dialect), plain(dialect)).prop_map(|(schema, table)| format!("{schema}.{table}"));
    prop_oneof![3 => plain(dialect), 1 => schema].boxed()
}

/// Words joined by blanks of all kinds.
fn words(parts: Vec<BoxedStrategy<String>>) -> BoxedStrategy<String> {
    let blanks = prop::collection::vec(blank(), parts.len());
    (parts, blanks)
        .prop_map(|(parts, blanks)| {
            parts
                .iter()
                .zip(&blanks)
                .flat_map(|(part, blank)| [part.as_str(), blank.as_str()])
                .collect()
        })
        .boxed()
}

fn list(item: BoxedStrategy<String>, most: usize) -> BoxedStrategy<String> {
    prop::collection::vec(item, 1..=most)
        .prop_map(|items| items.join(", "))
        .boxed()
}

/// A literal or an expression.
fn value() -> BoxedStrategy<String> {
    choice(&[
        "1",
        "'x'",
        "'; DROP TABLE no; '",
        "'it''s'",
        "NULL",
        "(1 + 2)",
        "now()",
        "a",
        "'WHERE'",
    ])
}

fn column(dialect: Dialect) -> BoxedStrategy<String> {
    let types = choice(&["INT", "VARCHAR(20)", "DECIMAL(10, 2)", "TEXT", "BIGINT"]);
    let options = choice(&[
        "",
        "NOT NULL",
        "NULL",
        "DEFAULT 1",
        "NOT NULL DEFAULT 'NULL'",
        "DEFAULT NULL",
        "CHECK (1 > 0)",
    ]);
    words(vec![plain(dialect), types, options])
}

fn clause(dialect: Dialect) -> BoxedStrategy<String> {
    let plain = || plain(dialect);
    let mut clauses = vec![
        words(vec![text("ADD COLUMN"), column(dialect)]),
        words(vec![text("DROP COLUMN"), plain()]),
        words(vec![text("RENAME COLUMN"), plain(), text("TO"), plain()]),
    ];
    if dialect != Dialect::Sqlite {
        let keys = choice(&["UNIQUE (a, b)", "CHECK (a > 0)", "PRIMARY KEY (a)"]);
        let foreign = vec![
            plain(),
            text("FOREIGN KEY (a) REFERENCES"),
            table(dialect),
            text("(id)"),
        ];
        clauses.push(words(vec![text("ADD CONSTRAINT"), words(foreign)]));
        clauses.push(words(vec![text("ADD CONSTRAINT"), plain(), keys]));
        clauses.push(words(vec![text("DROP CONSTRAINT"), plain()]));
        clauses.push(words(vec![
            text("ALTER COLUMN"),
            plain(),
            choice(&["SET DEFAULT 1", "DROP DEFAULT"]),
        ]));
    }
    if dialect == Dialect::Mysql {
        clauses.push(words(vec![choice(&["MODIFY", "MODIFY COLUMN"]), column(dialect)]));
        clauses.push(words(vec![
            choice(&["CHANGE", "CHANGE COLUMN"]),
            plain(),
            column(dialect),
        ]));
        clauses.push(words(vec![text("DROP FOREIGN KEY"), plain()]));
        clauses.push(words(vec![
            choice(&["ADD INDEX", "ADD KEY"]),
            plain(),
            text("(a)"),
        ]));
        clauses.push(choice(&[
            "DROP PRIMARY KEY",
            "ADD UNIQUE (a)",
            "ALGORITHM=INPLACE",
            "LOCK=NONE",
        ]));
    }
    if dialect == Dialect::Postgres {
        let types = [
            "TYPE bigint",
            "SET DATA TYPE numeric(10, 2) USING a::numeric",
            "SET NOT NULL",
            "DROP NOT NULL",
        ];
        let types = prop::sample::select(types.to_vec())
            .prop_map(str::to_owned)
            .boxed();
        clauses.push(words(vec![text("ALTER COLUMN"), plain(), types]));
        clauses.push(words(vec![
            text("DROP COLUMN IF EXISTS"),
            plain(),
            choice(&["", "CASCADE"]),
        ]));
        clauses.push(choice(&["OWNER TO bob", "ENABLE ROW LEVEL SECURITY"]));
    }
    Union::new(clauses).boxed()
}

/// Nothing, or a condition.
fn filter() -> BoxedStrategy<String> {
    let begins = choice(&["a =", "a IN (SELECT b FROM c WHERE d = 1) OR a >"]);
    prop_oneof![text(""), words(vec![text("WHERE"), begins, value()])].boxed()
}

/// What changes tables.
fn definition(dialect: Dialect) -> BoxedStrategy<String> {
    let (table, plain) = (|| table(dialect), || plain(dialect));
    let most = if dialect == Dialect::Sqlite { 1 } else { 4 };
    let creates = choice(&[
        "CREATE TABLE",
        "create table if not exists",
        "CREATE TEMPORARY TABLE",
    ]);
    let columns = list(column(dialect), 3)
        .prop_map(|columns| format!("({columns})"))
        .boxed();
    let indexes = choice(&["CREATE INDEX", "CREATE UNIQUE INDEX"]);
    let mut statements = vec![
        words(vec![creates, table(), columns]),
        words(vec![
            choice(&["DROP TABLE", "drop table IF EXISTS"]),
            list(table(), most),
        ]),
        words(vec![text("ALTER TABLE"), table(), list(clause(dialect), most)]),
        words(vec![text("ALTER TABLE"), table(), text("RENAME TO"), plain()]),
        words(vec![indexes, plain(), text("ON"), table(), text("(a)")]),
        words(vec![choice(&["DROP VIEW", "DROP VIEW IF EXISTS"]), table()]),
        words(vec![text("CREATE VIEW"), table(), text("AS SELECT 1")]),
    ];
    if dialect == Dialect::Mysql {
        statements.push(words(vec![text("RENAME TABLE"), table(), text("TO"), table()]));
    }
    if dialect == Dialect::Postgres {
        statements.push(words(vec![
            text("CREATE INDEX CONCURRENTLY"),
            plain(),
            text("ON"),
            table(),
            text("(a)"),
        ]));
        statements.push(words(vec![
            choice(&["DROP TYPE", "DROP SEQUENCE", "DROP SCHEMA"]),
            plain(),
        ]));
    }
    Union::new(statements).boxed()
}

/// What touches rows.
fn manipulation(dialect: Dialect) -> BoxedStrategy<String> {
    let table = || table(dialect);
    let insert = || text("INSERT INTO");
    let mut statements = vec![
        words(vec![
            insert(),
            table(),
            text("(a, b) VALUES ("),
            value(),
            text(","),
            value(),
            text(")"),
        ]),
        words(vec![insert(), table(), text("SELECT * FROM"), table()]),
        words(vec![text("UPDATE"), table(), text("SET a ="), value(), filter()]),
        words(vec![text("DELETE FROM"), table(), filter()]),
        words(vec![
            choice(&["SELECT", "select distinct"]),
            value(),
            text("FROM"),
            table(),
            filter(),
        ]),
        words(vec![
            text("WITH x AS ( SELECT"),
            value(),
            text(") SELECT * FROM x"),
        ]),
    ];
    if dialect != Dialect::Sqlite {
        statements.push(words(vec![choice(&["TRUNCATE", "TRUNCATE TABLE"]), table()]));
    }
    if dialect == Dialect::Mysql {
        statements.push(words(vec![text("REPLACE INTO"), table(), text("VALUES (1)")]));
        statements.push(words(vec![
            insert(),
            table(),
            text("VALUES (1) ON DUPLICATE KEY UPDATE a ="),
            value(),
        ]));
    }
    if dialect == Dialect::Postgres {
        statements.push(words(vec![
            text("WITH x AS ( DELETE FROM"),
            table(),
            filter(),
            text("RETURNING *) SELECT 1"),
        ]));
        statements.push(words(vec![
            insert(),
            table(),
            text("VALUES (1) ON CONFLICT DO NOTHING"),
        ]));
    }
    Union::new(statements).boxed()
}

fn statement(dialect: Dialect) -> BoxedStrategy<String> {
    prop_oneof![definition(dialect), manipulation(dialect)].boxed()
}
