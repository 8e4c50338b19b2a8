//! What sqlparser says of a statement, in few words.
//! Promises nothing for statements whose syntax tree has no words here: those give nothing, as those that it does not take.

use sqlparser::ast::{
    AlterTable, AlterTableOperation, ColumnDef, ColumnOption, Delete, Expr, FromTable, Insert, ObjectName,
    ObjectType, OnConflictAction, OnInsert, Query, RenameTableNameKind, SetExpr, SqliteOnConflict, Statement,
    TableConstraint, TableFactor, TableObject, TableWithJoins, Update,
};
use sqlparser::dialect::{MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

/// Whose SQL it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Mysql,
    Postgres,
    Sqlite,
}

/// Everything that `sql` does, or nothing if sqlparser does not take it.
pub(super) fn theirs(dialect: Dialect, sql: &str) -> Option<Vec<String>> {
    let parsed = match dialect {
        Dialect::Mysql => Parser::parse_sql(&MySqlDialect {}, sql),
        Dialect::Postgres => Parser::parse_sql(&PostgreSqlDialect {}, sql),
        Dialect::Sqlite => Parser::parse_sql(&SQLiteDialect {}, sql),
    };
    let mut said = Vec::new();
    for statement in parsed.ok()? {
        said.extend(statement_said(&statement)?);
    }
    Some(said)
}

fn name(name: &ObjectName) -> String {
    let parts: Vec<String> = name
        .0
        .iter()
        .filter_map(|part| Some(part.as_ident()?.value.clone()))
        .collect();
    parts.join(".")
}

fn statement_said(statement: &Statement) -> Option<Vec<String>> {
    let one = |said: String| Some(vec![said]);
    match statement {
        Statement::CreateTable(create) if create.or_replace => None,
        Statement::CreateTable(create) => one(format!("create table {}", name(&create.name))),
        Statement::CreateVirtualTable { name: table, .. } => one(format!("create table {}", name(table))),
        Statement::Drop { temporary: true, .. } => one("other".to_owned()),
        Statement::Drop {
            object_type, names, ..
        } => Some(names.iter().map(|it| dropped(*object_type, it)).collect()),
        Statement::DropTrigger(trigger) => one(format!("drop trigger {}", name(&trigger.trigger_name))),
        Statement::DropFunction(drop) => Some(
            drop.func_desc
                .iter()
                .map(|function| format!("drop function {}", name(&function.name)))
                .collect(),
        ),
        Statement::AlterTable(alter) => altered(alter),
        Statement::RenameTable(renames) => Some(
            renames
                .iter()
                .map(|it| format!("rename table {} to {}", name(&it.old_name), name(&it.new_name)))
                .collect(),
        ),
        Statement::CreateIndex(create) => {
            let index = create.name.as_ref().map_or_else(|| "?".to_owned(), name);
            one(format!("create index {index} on {}", name(&create.table_name)))
        }
        Statement::Truncate(truncate) => Some(
            truncate
                .table_names
                .iter()
                .map(|target| format!("truncate {}", name(&target.name)))
                .collect(),
        ),
        Statement::Insert(insert) => inserted(insert),
        Statement::Update(update) => updated(update),
        Statement::Delete(delete) => deleted(delete),
        Statement::Query(query) => queried(query),
        Statement::Explain { analyze: false, .. }
        | Statement::ExplainTable { .. }
        | Statement::ShowTables { .. } => one("query".to_owned()),
        Statement::Explain {
            analyze: true,
            statement,
            ..
        } => statement_said(statement),
        other => is_other(other).then(|| vec!["other".to_owned()]),
    }
}

fn is_other(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::CreateView(_)
            | Statement::CreateType { .. }
            | Statement::CreateDatabase { .. }
            | Statement::CreateExtension(_)
            | Statement::CreateTrigger(_)
            | Statement::CreateFunction(_)
            | Statement::Comment { .. }
            | Statement::Set(_)
            | Statement::Use(_)
            | Statement::Grant(_)
            | Statement::Revoke(_)
            | Statement::StartTransaction { .. }
            | Statement::Commit { .. }
            | Statement::Pragma { .. }
            | Statement::LockTables { .. }
            | Statement::UnlockTables
            | Statement::AlterIndex { .. }
            | Statement::AlterType(_)
            | Statement::Analyze(_)
    )
}

fn dropped(what: ObjectType, thing: &ObjectName) -> String {
    format!("drop {} {}", what.to_string().to_lowercase(), name(thing))
}

fn altered(alter: &AlterTable) -> Option<Vec<String>> {
    let table = name(&alter.name);
    let mut said = Vec::new();
    for operation in &alter.operations {
        said.extend(clause(&table, operation)?);
    }
    Some(said)
}

fn clause(table: &str, operation: &AlterTableOperation) -> Option<Vec<String>> {
    let one = |said: String| Some(vec![said]);
    match operation {
        AlterTableOperation::AddColumn { column_def, .. } => Some(column_added(table, column_def)),
        AlterTableOperation::DropColumn { column_names, .. } => Some(
            column_names
                .iter()
                .map(|column| format!("drop column {} of {table}", column.value))
                .collect(),
        ),
        AlterTableOperation::AddConstraint { constraint, .. } => {
            constraint_added(table, constraint).and_then(one)
        }
        AlterTableOperation::DropConstraint { name, .. }
        | AlterTableOperation::DropForeignKey { name, .. } => {
            one(format!("drop constraint {} on {table}", name.value))
        }
        AlterTableOperation::DropPrimaryKey { .. } => one(format!("drop constraint PRIMARY on {table}")),
        AlterTableOperation::DropIndex { name } => one(format!("drop index {}", name.value)),
        AlterTableOperation::RenameColumn {
            old_column_name,
            new_column_name,
        } => one(format!(
            "alter column {} of {table} to {}",
            old_column_name.value, new_column_name.value
        )),
        AlterTableOperation::RenameTable {
            table_name: RenameTableNameKind::As(to) | RenameTableNameKind::To(to),
        } => one(format!("rename table {table} to {}", name(to))),
        AlterTableOperation::ChangeColumn {
            old_name, new_name, ..
        } if old_name.value == new_name.value => one(format!("alter column {} of {table}", old_name.value)),
        AlterTableOperation::ChangeColumn {
            old_name, new_name, ..
        } => one(format!(
            "alter column {} of {table} to {}",
            old_name.value, new_name.value
        )),
        AlterTableOperation::ModifyColumn { col_name: column, .. }
        | AlterTableOperation::AlterColumn {
            column_name: column, ..
        } => one(format!("alter column {} of {table}", column.value)),
        AlterTableOperation::Algorithm { .. } | AlterTableOperation::Lock { .. } => Some(Vec::new()),
        AlterTableOperation::OwnerTo { .. }
        | AlterTableOperation::EnableRowLevelSecurity
        | AlterTableOperation::RenameConstraint { .. }
        | AlterTableOperation::ValidateConstraint { .. } => one("other".to_owned()),
        _ => None,
    }
}

fn column_added(table: &str, column: &ColumnDef) -> Vec<String> {
    let options = || column.options.iter().map(|option| &option.option);
    let is_serial = column.data_type.to_string().to_lowercase().contains("serial");
    let is_required = is_serial
        || options().any(|option| matches!(option, ColumnOption::NotNull | ColumnOption::PrimaryKey(_)));
    let null = if is_required { " not null" } else { "" };
    let mut said = vec![format!("add column {} of {table}{null}", column.name.value)];
    said.extend(options().filter_map(|option| match option {
        ColumnOption::ForeignKey(key) => Some(format!(
            "add constraint on {table} to {}",
            name(&key.foreign_table)
        )),
        _ => None,
    }));
    said
}

fn constraint_added(table: &str, constraint: &TableConstraint) -> Option<String> {
    Some(match constraint {
        TableConstraint::ForeignKey(key) => {
            format!("add constraint on {table} to {}", name(&key.foreign_table))
        }
        TableConstraint::Unique(_) | TableConstraint::PrimaryKey(_) | TableConstraint::Check(_) => {
            format!("add constraint on {table}")
        }
        TableConstraint::Index(index) => {
            let index = index.name.as_ref().map_or("?", |index| &index.value);
            format!("create index {index} on {table}")
        }
        _ => return None,
    })
}

fn inserted(insert: &Insert) -> Option<Vec<String>> {
    let TableObject::TableName(table) = &insert.table else {
        return None;
    };
    let replaces = insert.replace_into || insert.or == Some(SqliteOnConflict::Replace);
    let changes = match &insert.on {
        Some(OnInsert::DuplicateKeyUpdate(_)) => true,
        Some(OnInsert::OnConflict(conflict)) => matches!(conflict.action, OnConflictAction::DoUpdate(_)),
        _ => false,
    };
    let mut said = vec![format!("insert {}", name(table))];
    said.extend((replaces || changes).then(|| format!("update {} where", name(table))));
    Some(said)
}

/// The table, if nothing is joined.
fn single(table: &TableWithJoins) -> Option<String> {
    match &table.relation {
        TableFactor::Table { name: table_name, .. } if table.joins.is_empty() => Some(name(table_name)),
        _ => None,
    }
}

fn filter(selection: Option<&Expr>) -> &'static str {
    match selection.map(ToString::to_string).as_deref() {
        None | Some("1 = 1" | "true" | "1") => "",
        Some(_) => " where",
    }
}

fn updated(update: &Update) -> Option<Vec<String>> {
    Some(vec![format!(
        "update {}{}",
        single(&update.table)?,
        filter(update.selection.as_ref())
    )])
}

fn deleted(delete: &Delete) -> Option<Vec<String>> {
    let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
    let [from] = from.as_slice() else {
        return None;
    };
    if !delete.tables.is_empty() {
        return None;
    }
    Some(vec![format!(
        "delete {}{}",
        single(from)?,
        filter(delete.selection.as_ref())
    )])
}

/// The parts of `WITH` that change something, then what follows them.
fn queried(query: &Query) -> Option<Vec<String>> {
    let mut said = Vec::new();
    for part in query.with.iter().flat_map(|with| &with.cte_tables) {
        if part.query.with.is_some()
            || !matches!(
                *part.query.body,
                SetExpr::Select(_) | SetExpr::SetOperation { .. }
            )
        {
            said.extend(queried(&part.query)?);
        }
    }
    match query.body.as_ref() {
        SetExpr::Insert(statement) | SetExpr::Update(statement) | SetExpr::Delete(statement) => {
            said.extend(statement_said(statement)?);
        }
        SetExpr::Merge(_) => return None,
        _ => said.push("query".to_owned()),
    }
    Some(said)
}
