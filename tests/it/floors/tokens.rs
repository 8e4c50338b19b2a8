//! Reads Rust tokens for what a rule asks: every path that is spelt out, every attribute, and what is test code.
//! Works on tokens and not on the syntax tree, so that what stands inside a macro's arguments is seen as well.
//! Knows no rule.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A path as spelt, with `use` groups taken apart: `use std::{fs, net}` gives `std::fs` and `std::net`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SpeltPath {
    /// The names between the `::`; a glob is `*`.
    pub(super) segments: Vec<String>,
    /// Line of its last segment, counted from 1.
    pub(super) line: usize,
    /// What follows it directly, if that is a group in round brackets: its arguments.
    pub(super) arguments: Option<TokenStreamText>,
    /// Inline modules around it, outermost first.
    pub(super) inside: Vec<String>,
    /// Whether test code holds it.
    pub(super) in_test: bool,
}

/// Tokens as text: enough to compare.
pub(super) type TokenStreamText = String;

/// An attribute's content, `derive(Debug)` of `#[derive(Debug)]`.
#[derive(Debug)]
pub(super) struct Attribute {
    /// The names in it, in order, those in its arguments as well.
    pub(super) names: Vec<String>,
    /// Counted from 1.
    pub(super) line: usize,
}

/// Every path in the tokens, in order.
pub(super) fn paths(tokens: TokenStream) -> Vec<SpeltPath> {
    let mut reader = Reader::default();
    reader.read(tokens);
    reader.found
}

/// Every attribute in the tokens, in order; those within macros as well.
pub(super) fn attributes(tokens: TokenStream) -> Vec<Attribute> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    for (at, tree) in trees.iter().enumerate() {
        let TokenTree::Group(group) = tree else { continue };
        if group.delimiter() == Delimiter::Bracket && follows_hash(&trees, at) {
            let line = group.span_open().start().line;
            found.push(Attribute {
                names: names(group.stream()),
                line,
            });
        } else {
            found.extend(attributes(group.stream()));
        }
    }
    found
}

fn follows_hash(trees: &[TokenTree], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|i| trees.get(i));
    is_punct(before(1), '#') || (is_punct(before(1), '!') && is_punct(before(2), '#'))
}

fn names(tokens: TokenStream) -> Vec<String> {
    tokens
        .into_iter()
        .flat_map(|tree| match tree {
            TokenTree::Ident(ident) => vec![ident.to_string()],
            TokenTree::Group(group) => names(group.stream()),
            TokenTree::Punct(_) | TokenTree::Literal(_) => Vec::new(),
        })
        .collect()
}

fn is_punct(tree: Option<&TokenTree>, wanted: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

/// Walks the tokens once, remembering which modules it is in.
#[derive(Default)]
struct Reader {
    found: Vec<SpeltPath>,
    inside: Vec<String>,
    in_test: bool,
}

impl Reader {
    fn read(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(tree) = trees.get(at) {
            match tree {
                TokenTree::Ident(_) => at = self.path(&trees, at, &[]),
                TokenTree::Group(group) => {
                    self.group(&trees, at, group);
                    at += 1;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => at += 1,
            }
        }
    }

    /// Reads the path that begins at `at`, behind `prefix`; gives the place behind it.
    fn path(&mut self, trees: &[TokenTree], mut at: usize, prefix: &[String]) -> usize {
        let mut segments = prefix.to_vec();
        loop {
            match trees.get(at) {
                Some(TokenTree::Ident(ident)) => segments.push(ident.to_string()),
                Some(TokenTree::Punct(star)) if star.as_char() == '*' => segments.push("*".to_owned()),
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    self.use_group(group, &segments);
                    return at + 1;
                }
                // A turbofish, say: the path ends here, and what follows is read as new.
                _ => return self.end(trees, at, segments, at - 1),
            }
            if is_punct(trees.get(at + 1), ':') && is_punct(trees.get(at + 2), ':') {
                at += 3;
            } else {
                return self.end(trees, at + 1, segments, at);
            }
        }
    }

    fn end(&mut self, trees: &[TokenTree], next: usize, segments: Vec<String>, last: usize) -> usize {
        let arguments = match trees.get(next) {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
                Some(group.stream().to_string())
            }
            _ => None,
        };
        let line = trees.get(last).map_or(0, |tree| tree.span().start().line);
        let (inside, in_test) = (self.inside.clone(), self.in_test);
        self.found.push(SpeltPath {
            segments,
            line,
            arguments,
            inside,
            in_test,
        });
        next
    }

    /// `a::{b, c::d}`: each item is a path behind `a`.
    fn use_group(&mut self, group: &Group, prefix: &[String]) {
        let trees: Vec<TokenTree> = group.stream().into_iter().collect();
        for item in trees.split(|tree| is_punct(Some(tree), ',')) {
            if !item.is_empty() {
                self.path(item, 0, prefix);
            }
        }
    }

    /// A group of any kind; the body of an inline module is read as being inside that module.
    fn group(&mut self, trees: &[TokenTree], at: usize, group: &Group) {
        let module = module_name(trees, at).filter(|_| group.delimiter() == Delimiter::Brace);
        let outer_test = self.in_test;
        if let Some((name, keyword)) = &module {
            self.inside.push(name.clone());
            self.in_test |= is_for_tests(trees, *keyword);
        }
        self.read(group.stream());
        if module.is_some() {
            self.inside.pop();
        }
        self.in_test = outer_test;
    }
}

/// The name before `at`, if `mod` stands before it, and where that `mod` is.
fn module_name(trees: &[TokenTree], at: usize) -> Option<(String, usize)> {
    let keyword = at.checked_sub(2)?;
    match (trees.get(keyword)?, trees.get(at - 1)?) {
        (TokenTree::Ident(word), TokenTree::Ident(name)) if *word == "mod" => {
            Some((name.to_string(), keyword))
        }
        _ => None,
    }
}

/// Whether `#[cfg(test)]` stands before the item that begins at `at`, perhaps with other attributes and a visibility between.
fn is_for_tests(trees: &[TokenTree], at: usize) -> bool {
    let before = trees.iter().take(at).rev();
    let head = before.take_while(|tree| match tree {
        TokenTree::Group(group) => group.delimiter() != Delimiter::Brace,
        TokenTree::Ident(ident) => *ident == "pub",
        TokenTree::Punct(punct) => punct.as_char() == '#',
        TokenTree::Literal(_) => false,
    });
    head.into_iter()
        .any(|tree| matches!(tree, TokenTree::Group(group) if names(group.stream()) == ["cfg", "test"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelt(text: &str) -> Vec<String> {
        let tokens = text.parse().expect("planted Rust");
        paths(tokens)
            .into_iter()
            .map(|path| path.segments.join("::"))
            .collect()
    }

    #[test]
    fn a_use_group_is_taken_apart() {
        let found = spelt("use a::{b, c::{d as e, self}, f::*}; g::h(i::j);");
        for path in ["a::b", "a::c::d", "a::c::self", "a::f::*", "g::h", "i::j"] {
            assert!(
                found.iter().any(|it| it == path),
                "{path} is missing in {found:?}"
            );
        }
    }

    #[test]
    fn paths_in_macros_turbofish_and_attributes_are_seen() {
        let found = spelt("#[tokio::test] fn f() { x!(\"{}\", a::b); c::d::<e::f>() }");
        for path in ["tokio::test", "a::b", "c::d", "e::f"] {
            assert!(
                found.iter().any(|it| it == path),
                "{path} is missing in {found:?}"
            );
        }
    }

    #[test]
    fn comments_and_strings_spell_no_path() {
        let found = spelt("/// a::b\nfn f() { \"c::d\"; } // e::f");
        assert!(
            !found
                .iter()
                .any(|it| ["a::b", "c::d", "e::f"].contains(&it.as_str())),
            "{found:?}"
        );
    }

    #[test]
    fn a_path_knows_its_line_its_arguments_and_whether_a_test_holds_it() {
        let tokens =
            "fn f() {}\n#[cfg(test)]\npub mod tests {\n fn g() { h::now( ); }\n}\nmod other { k::l(1); }";
        let found = paths(tokens.parse().expect("planted Rust"));
        let now = found
            .iter()
            .find(|path| path.segments == ["h", "now"])
            .expect("it is there");
        assert_eq!(
            (now.line, now.in_test, now.arguments.as_deref()),
            (4, true, Some(""))
        );
        assert_eq!(now.inside, ["tests"]);
        let other = found
            .iter()
            .find(|path| path.segments == ["k", "l"])
            .expect("it is there");
        assert_eq!((other.in_test, other.arguments.as_deref()), (false, Some("1")));
    }

    #[test]
    fn attributes_are_told_from_arrays() {
        let tokens = "#![deny(a)] #[b(c = 1)] fn f() { [d]; #[e] let x = 1; }"
            .parse()
            .expect("planted Rust");
        let found: Vec<_> = attributes(tokens)
            .into_iter()
            .map(|attribute| attribute.names.join(" "))
            .collect();
        assert_eq!(found, ["deny a", "b c", "e"]);
    }
}
