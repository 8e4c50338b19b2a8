//! The words behind a tool, told apart: options with their values, and plain words. The way of Python's argparse and click.

/// One piece of a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// An option with its value, if it takes one.
    Option(&'a str, Option<&'a str>),
    /// A plain word; `-1` is one too, as no option looks like a number.
    Word(&'a str),
}

/// Reads words in order.
pub(super) struct Options<'a> {
    words: &'a [&'a str],
}

impl<'a> Options<'a> {
    pub(super) fn new(words: &'a [&'a str]) -> Self {
        Self { words }
    }

    /// The next piece; `valued` are the options that take a value.
    pub(super) fn next(&mut self, valued: &[&str]) -> Option<Piece<'a>> {
        let (word, rest) = self.words.split_first()?;
        self.words = rest;
        if *word == "--" {
            return self.next_word();
        }
        if !is_option(word) {
            return Some(Piece::Word(word));
        }
        if let Some((name, value)) = word.split_once('=').filter(|(name, _)| name.starts_with("--")) {
            return Some(Piece::Option(name, Some(value)));
        }
        if valued.contains(word) {
            let (value, rest) = self
                .words
                .split_first()
                .map_or((None, self.words), |(value, rest)| (Some(*value), rest));
            self.words = rest;
            return Some(Piece::Option(word, value));
        }
        let short = word.get(..2).filter(|short| *short != "--" && word.len() > 2);
        match short.filter(|short| valued.contains(short)) {
            Some(short) => Some(Piece::Option(short, word.get(2..))),
            None => Some(Piece::Option(word, None)),
        }
    }

    /// Behind `--` everything is a word.
    fn next_word(&mut self) -> Option<Piece<'a>> {
        let (word, rest) = self.words.split_first()?;
        self.words = rest;
        Some(Piece::Word(word))
    }
}

/// `-c`, `--sql`; not `-1`, not `-`.
pub(super) fn is_option(word: &str) -> bool {
    let second = word.strip_prefix('-').and_then(|rest| rest.chars().next());
    second.is_some_and(|second| !second.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{Options, Piece};

    #[test]
    fn options_find_their_values_in_every_form_and_numbers_are_words() {
        let words = [
            "-c", "x.ini", "-nprod", "--name=a", "--sql", "-1", "--", "-x", "head",
        ];
        let mut options = Options::new(&words);
        let mut pieces = Vec::new();
        while let Some(piece) = options.next(&["-c", "-n", "--name"]) {
            pieces.push(piece);
        }
        assert_eq!(
            pieces,
            [
                Piece::Option("-c", Some("x.ini")),
                Piece::Option("-n", Some("prod")),
                Piece::Option("--name", Some("a")),
                Piece::Option("--sql", None),
                Piece::Word("-1"),
                Piece::Word("-x"),
                Piece::Word("head"),
            ]
        );
        assert_eq!(
            Options::new(&["-c"]).next(&["-c"]),
            Some(Piece::Option("-c", None))
        );
        assert_eq!(
            Options::new(&["-가"]).next(&["-c"]),
            Some(Piece::Option("-가", None))
        );
    }
}
