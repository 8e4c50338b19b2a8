//! What an `env.py` says of the version table.

use super::{Environment, read};

fn said(source: &str) -> Environment {
    read("env.py", source.as_bytes()).unwrap_or_else(|unreadable| panic!("{}", unreadable.reason))
}

fn table(source: &str) -> Option<String> {
    said(source).version_table
}

#[test]
fn the_version_table_is_found_wherever_it_is_configured() {
    let both = "def offline():\n    context.configure(url=url, version_table='v', version_table_schema='s')\n\n\
                def online():\n    with a as b:\n        context.configure(connection=b, version_table='v', version_table_schema=\"s\")\n";
    let expected = Environment {
        version_table: Some("v".into()),
        version_table_schema: Some("s".into()),
    };
    assert_eq!(said(both), expected);
}

#[test]
fn a_named_text_stands_for_itself() {
    assert_eq!(table("T: str = 'v'\nf(version_table=T)"), Some("v".into()));
    assert_eq!(table("O = {'version_table': 'v'}\nf(**O)"), Some("v".into()));
    assert_eq!(table("O = dict(version_table='v')\nf(**O)"), Some("v".into()));
}

#[test]
fn what_is_computed_is_not_known() {
    assert_eq!(table("f(version_table=os.environ['T'])"), None);
    assert_eq!(table("f(version_table=f'v_{name}')"), None);
    assert_eq!(
        table("T = 'v'\nT = 'w'\nf(version_table=T)"),
        None,
        "a name with two values"
    );
    assert_eq!(table("T = g()\nf(version_table=T)"), None);
    assert_eq!(table("f(version_table=T)"), None, "a name from elsewhere");
}

#[test]
fn two_different_tables_are_none() {
    assert_eq!(table("f(version_table='v')\nf(version_table='w')"), None);
    assert_eq!(table("f(version_table='v')\nf(version_table=w())"), None);
}

#[test]
fn an_env_that_says_nothing_names_no_table() {
    assert_eq!(said("context.configure(url=url)"), Environment::default());
    assert_eq!(said(""), Environment::default());
}

#[test]
fn an_env_that_is_no_python_is_unreadable() {
    let unreadable = read("migrations/env.py", b"a = (").expect_err("a bracket is open");
    assert_eq!(unreadable.path, "migrations/env.py");
    assert!(unreadable.reason.starts_with("line 1: no Python"));
}
