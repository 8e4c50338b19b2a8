//! Connections and sessions: what is executed without `op`.
//!
//! Promises to find what goes to the database through a bind, a cursor or a session of SQLAlchemy. Refuses to follow rows: what is set on
//! them counts as a change of their table.

use crate::alembic::python::Expr;
use crate::model::script::{Action, Name};

use super::reader::Reader;
use super::value::{Arguments, Value};

impl<'t> Reader<'t> {
    pub(super) fn on_bind(&mut self, expr: &'t Expr, method: &str, arguments: &Arguments<'t>) -> Value<'t> {
        let first = arguments.positional.first();
        let table = first.and_then(Value::table);
        match method {
            "execute" | "exec_driver_sql" | "executemany" | "scalar" | "scalars" | "exec" | "stream"
            | "executescript" => {
                return self.execute(expr, arguments.get(0, &["statement", "sql", "clause", "query"]));
            }
            "run_sync" | "run_callable" => return self.run_with_bind(expr, arguments),
            "query" => {
                return Value::Query {
                    table,
                    has_where: false,
                };
            }
            "get" => {
                self.found(expr.start, Action::Query);
                return Value::Instance(table);
            }
            "add" | "merge" | "bulk_insert_mappings" => self.found(expr.start, Action::Insert { table }),
            "add_all" | "bulk_save_objects" => {
                let table = match first {
                    Some(Value::List(rows)) => rows.first().and_then(Value::table),
                    _ => None,
                };
                self.found(expr.start, Action::Insert { table });
            }
            "bulk_update_mappings" => self.found(
                expr.start,
                Action::Update {
                    table,
                    has_where: true,
                },
            ),
            "delete" => self.found(
                expr.start,
                Action::Delete {
                    table,
                    has_where: true,
                },
            ),
            "begin" | "begin_nested" | "connect" | "connection" | "cursor" | "raw_connection"
            | "get_bind" | "execution_options" | "get_raw_connection" | "session" | "no_autoflush"
            | "session_factory" => return Value::Bind,
            "commit"
            | "rollback"
            | "flush"
            | "close"
            | "refresh"
            | "expire"
            | "expire_all"
            | "expunge"
            | "expunge_all"
            | "dispose"
            | "fetchone"
            | "fetchall"
            | "fetchmany"
            | "remove"
            | "invalidate"
            | "detach"
            | "in_transaction"
            | "in_nested_transaction"
            | "get_isolation_level"
            | "get_transaction"
            | "nextset"
            | "configure" => {}
            _ => return self.unknown(expr, arguments),
        }
        Value::Plain
    }

    /// `session.query(...)`, and `sa.select(...)` that is built on.
    pub(super) fn on_query(
        &mut self,
        expr: &'t Expr,
        (table, has_where): (&Name, bool),
        method: &str,
    ) -> Value<'t> {
        let table = table.clone();
        match method {
            "update" => self.found(expr.start, Action::Update { table, has_where }),
            "delete" => self.found(expr.start, Action::Delete { table, has_where }),
            "all" | "yield_per" => {
                self.found(expr.start, Action::Query);
                return Value::Instances(table);
            }
            "first" | "one" | "one_or_none" | "get" => {
                self.found(expr.start, Action::Query);
                return Value::Instance(table);
            }
            "count" | "scalar" | "exists" => self.found(expr.start, Action::Query),
            "subquery" | "alias" | "cte" | "as_scalar" | "scalar_subquery" | "label" | "compile" => {}
            _ => {
                let narrows = matches!(method, "filter" | "filter_by" | "where" | "having");
                return Value::Query {
                    table,
                    has_where: has_where || narrows,
                };
            }
        }
        Value::Plain
    }

    /// An attribute is set on a row of a mapped class.
    pub(super) fn set_attribute(&mut self, at: usize, owner: &Value<'t>) {
        if let Value::Instance(table) = owner {
            let table = table.clone();
            self.found_change(
                at,
                Action::Update {
                    table,
                    has_where: true,
                },
            );
        }
    }
}
