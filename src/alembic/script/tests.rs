//! Details of reading a script that no whole one shows.

use super::read;
use crate::model::script::{Action, Body, Guard, Operation, Script};

fn script(source: &str) -> Script {
    match read("s.py", source.as_bytes()) {
        Ok(Some(script)) => script,
        other => panic!("{source}: {other:?}"),
    }
}

/// What an `upgrade()` does that has these lines.
fn does(lines: &str) -> Vec<Operation> {
    let body = lines.replace('\n', "\n    ");
    let head = "from alembic import op\nimport sqlalchemy as sa\nrevision = 'a'\ndown_revision = None\n";
    match script(&format!("{head}def upgrade():\n    {body}\n")).upgrade {
        Body::Does(operations) => operations,
        other => panic!("{lines}: {other:?}"),
    }
}

/// The tables that are dropped; `?` for one that is not known.
fn dropped(lines: &str) -> Vec<String> {
    let table = |operation: Operation| match operation.action {
        Action::DropTable { table } => table.unwrap_or_else(|| "?".to_owned()),
        other => panic!("{lines}: {other:?}"),
    };
    does(lines).into_iter().map(table).collect()
}

fn unreadable(lines: &str) -> Vec<String> {
    let what = |operation: Operation| match operation.action {
        Action::Unreadable { what } => Some(what),
        _ => None,
    };
    does(lines).into_iter().filter_map(what).collect()
}

fn guards(lines: &str) -> Vec<Option<Guard>> {
    does(lines).into_iter().map(|operation| operation.guard).collect()
}

#[test]
fn a_path_is_kept_as_it_is_given() {
    let text = "revision = 'a'\ndown_revision = None";
    let path = |read: Result<Option<Script>, _>| read.ok().flatten().map(|script: Script| script.path);
    assert_eq!(
        path(read("versions/가.py", text.as_bytes())),
        Some("versions/가.py".to_owned())
    );
}

#[test]
fn the_title_is_the_docstrings_first_line() {
    let title = |docstring: &str| script(&format!("{docstring}\nrevision = 'a'\ndown_revision = None")).title;
    assert_eq!(title("'''\n  One\n  two\n'''"), Some("One".to_owned()));
    assert_eq!(title("'   '"), None);
    assert_eq!(title(""), None);
}

#[test]
fn the_last_function_of_a_name_counts() {
    let twice = "from alembic import op\nrevision = 'a'\ndown_revision = None\n\
                 def upgrade():\n    op.drop_table('a')\n\ndef upgrade():\n    pass\n";
    assert_eq!(script(twice).upgrade, Body::Stub);
}

#[test]
fn what_is_done_on_import_is_no_part_of_a_migration() {
    let imported = "from alembic import op\nrevision = 'a'\ndown_revision = None\n\
                    op.drop_table('a')\ndef upgrade():\n    print(1)\n";
    assert_eq!(script(imported).upgrade, Body::Does(Vec::new()));
}

#[test]
fn the_innermost_guard_counts_and_exists_where_there_is_no_other() {
    let condition = |text: &str| Some(Guard::Condition(text.to_owned()));
    assert_eq!(
        guards("if a:\n    try:\n        op.drop_table('x')\n    except E:\n        pass"),
        [Some(Guard::Caught)]
    );
    assert_eq!(
        guards("try:\n    if a:\n        op.drop_table('x')\nexcept E:\n    pass"),
        [condition("a")]
    );
    assert_eq!(
        guards("if a:\n    op.drop_table('x', if_exists=True)"),
        [condition("a")]
    );
    assert_eq!(
        guards("op.drop_table('x', if_exists=True)"),
        [Some(Guard::Exists)]
    );
    assert_eq!(guards("op.drop_table('x', if_exists=False)"), [None]);
    assert_eq!(
        guards("op.execute('DROP TABLE IF EXISTS x')"),
        [Some(Guard::Exists)]
    );
}

#[test]
fn a_long_condition_is_shortened_and_loses_its_secrets() {
    let operations = guards(&format!(
        "if ask(password='s3cret') or {}:\n    op.drop_table('x')",
        "long ".to_owned() + &"or long ".repeat(40)
    ));
    let Some(Some(Guard::Condition(text))) = operations.last() else {
        panic!("no condition");
    };
    assert!(
        text.chars().count() <= 81 && text.ends_with('…') && !text.contains("s3cret"),
        "{text}"
    );
}

#[test]
fn conditions_that_are_known_guard_nothing() {
    assert_eq!(guards("if True:\n    op.drop_table('x')"), [None]);
    assert_eq!(guards("while True:\n    op.drop_table('x')\n    break"), [None]);
    assert_eq!(guards("n = ['a']\nif n:\n    op.drop_table('x')"), [None]);
    assert_eq!(
        guards("if 0:\n    op.drop_table('x')\nelse:\n    op.drop_table('y')"),
        [None]
    );
    assert_eq!(
        dropped("op.drop_table('a') if False else op.drop_table('b')"),
        ["b"]
    );
}

#[test]
fn and_or_are_guards_of_what_stands_behind() {
    let condition = |text: &str| Some(Guard::Condition(text.to_owned()));
    assert_eq!(
        guards("a and (b or c) and op.drop_table('x')"),
        [condition("a and (b or c)")]
    );
    assert_eq!(guards("a or op.drop_table('x')"), [condition("not (a)")]);
}

#[test]
fn a_return_inside_a_block_guards_what_follows_the_block() {
    let early = "for x in y():\n    if a:\n        return\nop.drop_table('x')";
    assert_eq!(
        guards(early).last(),
        Some(&Some(Guard::Condition("not (a)".to_owned())))
    );
    let else_returns = "if a:\n    pass\nelse:\n    return\nop.drop_table('x')";
    assert_eq!(guards(else_returns), [Some(Guard::Condition("a".to_owned()))]);
    let both = "if a:\n    return\nelse:\n    return\nop.drop_table('x')";
    assert!(guards(both).is_empty(), "nothing gets there");
    let in_a_loop = "for x in [1]:\n    if a:\n        break\nop.drop_table('x')";
    assert_eq!(guards(in_a_loop), [None], "a loop that is left is through");
    assert_eq!(
        guards("if a:\n    raise E\nop.drop_table('x')"),
        [None],
        "it fails, so that nothing is skipped"
    );
}

#[test]
fn names_are_known_through_many_forms() {
    for (lines, tables) in [
        ("op.drop_table('a' 'b')", ["ab"]),
        ("op.drop_table(('a' + 'b'))", ["ab"]),
        ("op.drop_table(f'a{1}')", ["a1"]),
        ("op.drop_table('%s_%d' % ('a', 1))", ["a_1"]),
        ("op.drop_table('a%%%s' % 'b')", ["a%b"]),
        ("op.drop_table('%(x)s' % {'x': 'a'})", ["a"]),
        ("op.drop_table('{}{{}}{0}{x}'.format('a', x='b'))", ["a{}ab"]),
        ("op.drop_table('_'.join(['a', 'b']))", ["a_b"]),
        ("op.drop_table(' A '.strip().lower())", ["a"]),
        ("op.drop_table('a-b'.replace('-', '_'))", ["a_b"]),
        ("op.drop_table(['a', 'b'][1])", ["b"]),
        ("op.drop_table({'x': 'a'}['x'])", ["a"]),
        ("op.drop_table(table_name=op.f('a'))", ["a"]),
        ("op.drop_table(sa.sql.quoted_name('a', True))", ["a"]),
        ("op.drop_table(*['a'])", ["a"]),
        ("op.drop_table(**{'table_name': 'a', 'schema': 's'})", ["s.a"]),
        ("op.drop_table('a', schema=None)", ["a"]),
        ("t = 'a'\nt += '_b'\nop.drop_table(t)", ["a_b"]),
    ] {
        assert_eq!(dropped(lines), tables, "{lines}");
    }
}

#[test]
fn names_that_are_computed_are_not_known() {
    for lines in [
        "op.drop_table(f())",
        "op.drop_table(f'a{f()}')",
        "op.drop_table(f'{1:03}')",
        "op.drop_table(f'{\"a\"!r}')",
        "op.drop_table('%05d' % 1)",
        "op.drop_table('{:>3}'.format('a'))",
        "op.drop_table('a' * 2)",
        "op.drop_table('')",
        "op.drop_table(*f())",
        "op.drop_table('a', schema=f())",
        "n = ['a']\nn[0] = 'b'\nop.drop_table(n[0])",
        "n = ['a']\nn.clear()\nop.drop_table(n[0])",
        "i = 'a'\nwhile f(i):\n    op.drop_table(i)\n    i = 'b'",
    ] {
        assert_eq!(
            does(lines).last().map(|it| it.action.clone()),
            Some(Action::DropTable { table: None }),
            "{lines}"
        );
    }
}

#[test]
fn a_loop_over_too_many_is_walked_through_once() {
    assert_eq!(
        dropped(&format!("for t in {:?}:\n    op.drop_table(t)", ["a"; 64])).len(),
        64
    );
    assert_eq!(
        dropped(&format!("for t in {:?}:\n    op.drop_table(t)", ["a"; 65])),
        ["?"]
    );
}

#[test]
fn calls_that_cannot_touch_a_schema_are_nothing() {
    for lines in [
        "print(op.get_bind())",
        "import logging\nlogging.getLogger('x').info('y')",
        "sa.inspect(op.get_bind()).get_columns('users')",
        "i = sa.inspect(op.get_bind())\ni.has_table('x')",
        "op.get_bind().dialect.has_table(op.get_bind(), 'x')",
        "from datetime import datetime\ndatetime.now().isoformat()",
        "x = [len(y) for y in ('a', 'b')]",
        "raise ValueError('no') if f else None",
    ] {
        let lines = format!("{lines}\nx = 1");
        assert_eq!(does(&lines), [], "{lines}");
    }
}

#[test]
fn calls_that_nobody_knows_are_told_once() {
    for (lines, what) in [
        ("from app import work\nwork()", "work()"),
        (
            "from app import work\nwork(op).then().run()",
            "work(op).then().run()",
        ),
        (
            "from . import work\nwork.run(op.get_bind())",
            "work.run(op.get_bind())",
        ),
        (
            "from app import Base\nBase.metadata.drop_all(op.get_bind())",
            "Base.metadata.drop_all(op.get_bind())",
        ),
        (
            "x = sa.types.Thing()\nx.create(op.get_bind())",
            "x.create(op.get_bind())",
        ),
        ("op.add_column('t', make(op))", "make(op)"),
    ] {
        assert_eq!(unreadable(lines), [what], "{lines}");
    }
}

#[test]
fn all_tables_of_a_metadata_at_once_cannot_be_read() {
    let lines = "from app import Base, engine\nBase.metadata.drop_all(engine)\nsa.MetaData().create_all()";
    assert_eq!(
        unreadable(lines),
        ["Base.metadata.drop_all(engine)", "sa.MetaData().create_all()"]
    );
}

#[test]
fn an_unknown_type_in_a_column_is_no_call_of_interest() {
    let lines =
        "from app.types import Money\nop.create_table('t', sa.Column('m', Money(), default=Money.zero()))";
    assert!(unreadable(lines).is_empty());
}

#[test]
fn a_rename_to_an_unknown_name_cannot_be_read() {
    assert_eq!(
        unreadable("op.alter_column('t', 'a', new_column_name=f())")
            .last()
            .map(String::as_str),
        Some("op.alter_column('t', 'a', new_column_name=f())")
    );
    assert!(unreadable("op.alter_column('t', 'a', new_column_name=None, nullable=True)").is_empty());
}

#[test]
fn a_function_that_calls_itself_ends() {
    let lines = "def f(n):\n    op.drop_table('a')\n    g(n)\ndef g(n):\n    f(n)\nf(1)";
    assert_eq!(unreadable(lines), ["f(n)"]);
}

mod filled;
