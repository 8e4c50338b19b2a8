//! How a source file must look: what it opens with, how long it and its functions may get, where a module lies, and that no lint is
//! simply switched off.
//! Refuses to judge what the code does.

use syn::spanned::Spanned;
use syn::visit::Visit;

use super::Violation;
use super::source::Source;
use super::tokens;

/// Lines a file may have, tests included.
const LONGEST_FILE: usize = 400;

/// Lines a function may have, from its signature to its last brace.
const LONGEST_FUNCTION: usize = 70;

/// Every file opens with what it promises and what it refuses to know.
pub(super) fn opening(source: &Source) -> Vec<Violation> {
    if source.text.starts_with("//! ") {
        return Vec::new();
    }
    let what =
        "opens without `//! `: a reader must learn first what the file promises and what it refuses to know";
    vec![Violation::new(source, 1, what)]
}

/// A module `foo` is `foo.rs` beside `foo/`.
pub(super) fn module_file(source: &Source) -> Vec<Violation> {
    if source.path.ends_with("/mod.rs") {
        let what = "is a `mod.rs`: name the file after its module, beside the folder";
        return vec![Violation::new(source, 1, what)];
    }
    Vec::new()
}

/// Files and functions stay short enough to be read at once.
pub(super) fn length(source: &Source) -> Vec<Violation> {
    let lines = source.text.lines().count();
    let mut violations = Vec::new();
    if lines > LONGEST_FILE {
        let what = format!("has {lines} lines, more than {LONGEST_FILE}: split it by subject");
        violations.push(Violation::new(source, LONGEST_FILE + 1, what));
    }
    let mut functions = Functions::default();
    functions.visit_file(&source.syntax());
    violations.extend(functions.0.into_iter().filter(|it| it.lines > LONGEST_FUNCTION).map(|it| {
        let Function { name, line, lines } = it;
        let what = format!("`{name}` has {lines} lines, more than {LONGEST_FUNCTION}: give its steps names of their own");
        Violation::new(source, line, what)
    }));
    violations
}

struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// Collects every function that has a body, wherever it stands.
#[derive(Default)]
struct Functions(Vec<Function>);

impl Functions {
    fn note(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let line = signature.span().start().line;
        let lines = body.span().end().line + 1 - line;
        self.0.push(Function {
            name: signature.ident.to_string(),
            line,
            lines,
        });
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.note(&function.sig, &function.block);
        syn::visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.note(&function.sig, &function.block);
        syn::visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(body) = &function.default {
            self.note(&function.sig, body);
        }
        syn::visit::visit_trait_item_fn(self, function);
    }
}

/// A lint is expected, with a reason, and the expectation fails once it is no longer needed; it is never allowed.
pub(super) fn allowed_lints(source: &Source) -> Vec<Violation> {
    let attributes = tokens::attributes(source.tokens());
    let allowing = attributes.iter().filter(|attribute| {
        let first = attribute.names.first().map(String::as_str);
        first == Some("allow")
            || (first == Some("cfg_attr") && attribute.names.iter().any(|name| name == "allow"))
    });
    let what = "allows a lint: use #[expect(lint, reason = \"...\")], which tells why and reports itself once it is stale";
    allowing
        .map(|attribute| Violation::new(source, attribute.line, what))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_found(rule: fn(&Source) -> Vec<Violation>, path: &str, text: &str) -> Vec<usize> {
        rule(&Source::planted(path, text))
            .iter()
            .map(|violation| violation.line)
            .collect()
    }

    #[test]
    fn a_file_without_its_opening_is_found() {
        assert_eq!(lines_found(opening, "src/a.rs", "use std::fmt;\n//! late"), [1]);
        assert_eq!(lines_found(opening, "src/a.rs", "/// of an item"), [1]);
        assert_eq!(lines_found(opening, "src/a.rs", ""), [1]);
        assert!(lines_found(opening, "src/a.rs", "//! Promises.").is_empty());
    }

    #[test]
    fn a_mod_rs_is_found() {
        assert_eq!(lines_found(module_file, "src/judge/mod.rs", ""), [1]);
        assert!(lines_found(module_file, "src/judge/model_mod.rs", "").is_empty());
    }

    #[test]
    fn a_long_file_is_found_from_its_first_line_too_many() {
        assert!(lines_found(length, "src/a.rs", &"//! x\n".repeat(LONGEST_FILE)).is_empty());
        assert_eq!(
            lines_found(length, "src/a.rs", &"//! x\n".repeat(LONGEST_FILE + 1)),
            [LONGEST_FILE + 1]
        );
    }

    #[test]
    fn a_long_function_is_found_wherever_it_stands() {
        let body = |lines: usize| format!("fn f() {{\n{}}}\n", "    g();\n".repeat(lines - 2));
        for (before, after) in [
            ("", ""),
            ("impl A {\n", "}"),
            ("trait A {\n", "}"),
            ("mod m {\n", "}"),
            ("fn h() {\n", "}"),
        ] {
            let planted = |lines| format!("{before}{}{after}", body(lines));
            let found = |lines: usize| {
                let text = planted(lines);
                let source = Source::planted("src/a.rs", &text);
                length(&source)
                    .iter()
                    .any(|it| it.what.starts_with("`f` has 71 lines"))
            };
            assert!(found(LONGEST_FUNCTION + 1), "after {before:?}");
            assert!(!found(LONGEST_FUNCTION), "after {before:?}");
        }
    }

    #[test]
    fn braces_in_strings_do_not_count() {
        let text = format!(
            "fn f() {{\n let x = \"}}\";\n{}}}\n",
            "    g();\n".repeat(LONGEST_FUNCTION)
        );
        assert_eq!(lines_found(length, "src/a.rs", &text), [1]);
    }

    #[test]
    fn an_allowed_lint_is_found_and_an_expected_one_is_not() {
        assert_eq!(
            lines_found(allowed_lints, "src/a.rs", "#![allow(dead_code)]"),
            [1]
        );
        assert_eq!(
            lines_found(allowed_lints, "src/a.rs", "\n#[allow(dead_code)]\nfn f() {}"),
            [2]
        );
        assert_eq!(
            lines_found(
                allowed_lints,
                "src/a.rs",
                "fn f() {\n#[cfg_attr(test, allow(unused))]\nlet x = 1; }"
            ),
            [2]
        );
        assert!(
            lines_found(
                allowed_lints,
                "src/a.rs",
                "#[expect(dead_code, reason = \"allow\")]\nfn f() {}"
            )
            .is_empty()
        );
    }
}
