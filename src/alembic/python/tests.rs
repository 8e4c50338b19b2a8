//! What the parser's wrapper accepts, and what it says of the rest.

use super::{Kind, Module, StmtKind, parse};

fn parsed(text: &str) -> Module {
    parse(text.as_bytes()).unwrap_or_else(|reason| panic!("{text:?}: {reason}"))
}

fn refusal(source: &[u8]) -> String {
    match parse(source) {
        Err(reason) => reason,
        Ok(_) => panic!("{} is taken for Python", String::from_utf8_lossy(source)),
    }
}

#[test]
fn a_syntax_error_tells_its_line() {
    assert!(refusal(b"a = 1\n\nb = = 2\n").starts_with("line 3: no Python: "));
    assert!(refusal(b"a = 1\r\nb = '\r\n").starts_with("line 2: no Python: "));
}

#[test]
fn python_2_is_named() {
    for old in [
        "print 'a'",
        "raise E, 'a'",
        "exec 'a'",
        "a = ur'b'",
        "a = `b`",
        "if a <> b: pass",
    ] {
        assert_eq!(
            refusal(old.as_bytes()),
            "line 1: Python 2, which Alembic no longer runs",
            "{old}"
        );
    }
    for other in ["print('a'", "raise E(1, 2", "print = = 1"] {
        assert!(refusal(other.as_bytes()).contains("no Python"), "{other}");
    }
}

#[test]
fn a_conflict_is_named_only_where_the_text_is_no_python() {
    let marked = "<<<<<<< ours\na = 1\n=======\na = 2\n>>>>>>> theirs\n";
    assert!(refusal(marked.as_bytes()).starts_with("line 1: the mark of a merge conflict"));
    parsed(&format!("'''\n{marked}'''\n"));
    assert!(
        refusal(b"=======\na = (\n").contains("no Python"),
        "a single row of signs"
    );
}

#[test]
fn an_encoding_matters_only_where_there_is_more_than_ascii() {
    parsed("# coding: euc-kr\na = 1\n");
    parsed("# coding: utf-8\na = '가'\n");
    parsed("#!/bin/sh\n# vim: set fileencoding=UTF8 :\na = '가'\n");
    let declared = "\n# -*- coding: euc-kr -*-\na = '가'\n";
    assert_eq!(
        refusal(declared.as_bytes()),
        "line 2: the encoding `euc-kr` is declared, only UTF-8 is read"
    );
    parsed("\n\n# coding: euc-kr\na = '가'\n");
    assert_eq!(
        refusal(b"a = 1\nb = '\xff'\n"),
        "line 2: not UTF-8, and no encoding is declared"
    );
}

#[test]
fn the_docstring_is_the_first_statement_and_no_f_string() {
    assert_eq!(parsed("# a\n'a' 'b'\n").docstring.as_deref(), Some("ab"));
    assert_eq!(parsed("import os\n'a'\n").docstring, None);
    assert_eq!(parsed("f'a'\n").docstring, None);
    assert_eq!(parsed("b'a'\n").docstring, None);
}

#[test]
fn a_sum_of_many_texts_is_one_level() {
    let module = parsed(&format!("a = {}\n", vec!["'x'"; 900].join(" + ")));
    let StmtKind::Assign(_, value) = &module.body[0].kind else {
        panic!("an assignment");
    };
    let Kind::Sum(parts) = &value.kind else {
        panic!("a sum");
    };
    assert_eq!(parts.len(), 900);
}

fn line_of_the_last(text: &str) -> Option<u32> {
    let module = parsed(text);
    module.body.last().map(|stmt| module.line(stmt.start))
}

#[test]
fn lines_count_from_one_with_any_end_of_line() {
    for text in ["a\nb\nc", "a\r\nb\r\nc", "a\rb\rc", "'''\n'''\nc"] {
        assert_eq!(line_of_the_last(text), Some(3), "{text:?}");
    }
}

#[test]
fn levels_end_where_they_are_said_to() {
    let deep = |levels: usize| format!("{}1{}\n", "[".repeat(levels), "]".repeat(levels));
    parsed(&deep(super::DEEPEST - 2));
    assert_eq!(
        refusal(deep(super::DEEPEST).as_bytes()),
        "line 1: nested too deeply to be read"
    );
    assert_eq!(refusal(deep(5_000).as_bytes()), "nested too deeply to be read");
}

#[test]
fn long_lists_are_not_deep() {
    parsed(&format!(
        "a = [{}]\n",
        "{'a': -1, 'b': not c, 'd': e.f()}, ".repeat(3_000)
    ));
    parsed(&format!("a = f({})\n", "b=c.d(-1), ".repeat(3_000)));
    parsed(&format!("a = {}1\n", "b and ".repeat(3_000)));
    parsed(&format!("a = ({})\n", "'b'\n".repeat(3_000)));
    parsed(&"a = b.c(-1)\n".repeat(3_000));
}
