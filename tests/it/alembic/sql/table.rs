//! The statements of the unit tests' tables, taken from their source: there is only one list.
//! Refuses to know what is expected of them.

use syn::visit::Visit;

use super::reference::Dialect;

/// How many statements sqlparser takes at least.
pub(super) const COMPARED: usize = 100;

/// What sqlparser does not take, or takes for something else: a statement a line.
const NOT_COMPARED: &str = include_str!("../../../fixtures/sql/not_compared.txt");

const FILES: [(Dialect, &str); 3] = [
    (
        Dialect::Mysql,
        include_str!("../../../../src/alembic/sql/tests/mysql.rs"),
    ),
    (
        Dialect::Postgres,
        include_str!("../../../../src/alembic/sql/tests/postgres.rs"),
    ),
    (
        Dialect::Sqlite,
        include_str!("../../../../src/alembic/sql/tests/sqlite.rs"),
    ),
];

/// Every row of every table.
pub(super) fn statements() -> Vec<(Dialect, String)> {
    let mut statements = Vec::new();
    for (dialect, source) in FILES {
        let file = syn::parse_file(source).expect("a source file of ours");
        let mut rows = Rows::default();
        rows.visit_file(&file);
        statements.extend(rows.0.into_iter().map(|sql| (dialect, sql)));
    }
    statements
}

/// Whether a statement is named as one that sqlparser does not read as it is meant.
pub(super) fn is_named(sql: &str) -> bool {
    NOT_COMPARED.lines().any(|named| named == sql)
}

/// The first text of every pair of texts.
#[derive(Default)]
struct Rows(Vec<String>);

impl<'ast> Visit<'ast> for Rows {
    fn visit_expr_tuple(&mut self, tuple: &'ast syn::ExprTuple) {
        let texts: Vec<String> = tuple.elems.iter().filter_map(text).collect();
        if let [sql, _] = texts.as_slice() {
            self.0.push(sql.clone());
        }
    }
}

fn text(expression: &syn::Expr) -> Option<String> {
    match expression {
        syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}
