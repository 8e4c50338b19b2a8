//! Lists, dictionaries and flags that start empty and are filled somewhere: what is done with what is in them is read.

use super::{does, dropped, guards, unreadable};
use crate::model::script::Guard;

const DELETES: &str = "    op.drop_table('x')";

/// A table is dropped for each thing in `of`, once it was filled by these lines.
fn dropped_for_each(of: &str, filling: &str) -> Vec<String> {
    dropped(&format!("{filling}\nfor it in {of}:\n    op.drop_table('x')"))
}

#[test]
fn what_is_done_for_each_of_what_starts_empty_is_read_however_it_is_filled() {
    for (of, filling) in [
        (
            "groups.items()",
            "groups = {}\nfor k, v in rows():\n    groups.setdefault(k, []).append(v)",
        ),
        (
            "groups",
            "groups = {}\nfor k, v in rows():\n    groups[k].append(v)",
        ),
        ("groups", "groups = {}\ngroups.update(a=1)"),
        (
            "groups['users']",
            "groups = {'users': []}\ngroups['users'].append(1)",
        ),
        ("names", "names = []\nother = names\nother.append('a')"),
        ("names", "names = []\nlist(map(names.append, rows()))"),
        ("sorted(names)", "names = set()\nnames.add('a')"),
        (
            "names",
            "names = []\ndef f(out):\n    for x in rows():\n        out.append(x)\nf(names)",
        ),
        (
            "[n for n in names]",
            "names = []\nother = names\nother.append('a')",
        ),
        ("names", "names = []"),
    ] {
        let filling = format!("from json import loads as rows\n{filling}");
        assert_eq!(dropped_for_each(of, &filling), ["x"], "{filling}");
    }
}

#[test]
fn a_list_that_a_function_fills_for_its_caller_holds_what_nobody_knows() {
    for filling in [
        "names = ['a']\ndef f(out):\n    out.append('b')\nf(names)",
        "names = ['a']\ndef f(out):\n    out += ['b']\nf(out=names)",
        "names = ['a']\ndef g(own):\n    own.insert(0, 'b')\ndef f(out):\n    g(out)\nf(names)",
        "names = {'a': 1}\ndef f(out):\n    out['b'] = 2\nf(names)",
    ] {
        let lines = format!("{filling}\nfor it in names:\n    op.drop_table(it)");
        assert_eq!(dropped(&lines), ["?"], "{lines}");
    }
}

#[test]
fn a_list_that_a_function_only_reads_stays_known_to_its_caller() {
    let lines =
        "names = ['a', 'b']\ndef f(own):\n    for it in own:\n        op.drop_table(it)\nf(names)\nf(names)";
    assert_eq!(dropped(lines), ["a", "b", "a", "b"]);
}

#[test]
fn a_function_that_fills_a_list_around_it_fills_that_one() {
    let lines = "names = ['a']\ndef add(name):\n    names.append(name)\nadd('b')\nfor it in names:\n    op.drop_table(it)";
    assert_eq!(dropped(lines), ["a", "b"]);
}

#[test]
fn whether_something_that_starts_empty_is_so_is_never_known() {
    for what in ["names", "not names", "not groups", "groups"] {
        let lines = format!("names = []\ngroups = {{}}\nif {what}:\n{DELETES}");
        assert_eq!(
            guards(&lines),
            [Some(Guard::Condition(what.to_owned()))],
            "{lines}"
        );
    }
    assert_eq!(guards(&format!("names = []\nwhile names:\n{DELETES}")).len(), 1);
}

#[test]
fn a_flag_that_a_function_sets_for_others_is_never_known() {
    let lines = "found = False\ndef look(x):\n    nonlocal found\n    found = True\n\
                 for x in rows():\n    if found:\n        op.drop_table('x')\n    look(x)\nif found:\n    op.drop_table('y')";
    let condition = Some(Guard::Condition("found".to_owned()));
    let lines = format!("from json import loads as rows\n{lines}");
    assert_eq!(guards(&lines), [condition.clone(), condition]);
}

#[test]
fn a_connection_that_a_function_shares_with_others_is_one() {
    let lines = "global conn\nconn = op.get_bind()\nwork()";
    let script = "from alembic import op\nrevision = 'a'\ndown_revision = None\nconn = None\n\
                  def work():\n    conn.execute('DROP TABLE a')\ndef upgrade():\n    ";
    let script = super::script(&format!("{script}{}", lines.replace('\n', "\n    ")));
    assert_eq!(script.upgrade.operations().len(), 1, "{:?}", script.upgrade);
}

#[test]
fn what_one_function_fills_is_not_filled_for_the_other() {
    let script = "from alembic import op\nrevision = 'a'\ndown_revision = None\nnames = ['a']\n\
                  def upgrade():\n    names.append('b')\ndef downgrade():\n    for it in names:\n        op.drop_table(it)\n";
    assert_eq!(super::script(script).downgrade.operations().len(), 1);
}

#[test]
fn a_function_that_was_put_into_a_dictionary_is_not_lost_in_it() {
    for lines in [
        "todo = {}\ntodo['a'] = work\ntodo['a']()",
        "todo = []\ntodo.insert(0, work)\nfor it in todo:\n    it()",
        "todo = {'a': work}\ntodo.update(b=1)\nfor it in todo.values():\n    it()",
    ] {
        let lines = format!("def work():\n    op.drop_table('a')\n{lines}");
        assert!(!unreadable(&lines).is_empty(), "{lines}");
    }
}

#[test]
fn a_text_that_is_joined_of_nothing_has_a_gap_there() {
    let lines = "ids = []\nop.execute('DROP TABLE a' + ''.join(ids))";
    assert_eq!(does(lines).len(), 1);
    assert_eq!(unreadable("ids = []\nop.execute(''.join(ids))").len(), 1);
}

#[test]
fn a_function_that_outlives_the_one_that_made_it_is_read_to_its_end() {
    let lines =
        "def make():\n    def inner():\n        op.drop_table('a')\n    return inner\nf = make()\nf()";
    assert_eq!(dropped(lines), ["a"]);
}

#[test]
fn a_list_that_holds_itself_twice_again_and_again_is_looked_at_for_a_moment_only() {
    let lines = format!("a = [1]\nn = 1\n{}n.f(a)", "a = [a, a]\n".repeat(60));
    assert_eq!(unreadable(&lines), ["n.f(a)"]);
}
