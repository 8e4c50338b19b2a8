//! A container's environment: full of secrets, needed by few.
//!
//! Promises that no value is ever printed. Refuses to be serialised.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

/// The environment variables that a container was created with.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, SecretString>);

impl Environment {
    /// From `NAME=VALUE` texts; a text without `=` is no variable. The last of equal names wins, as in the container.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a str>) -> Self {
        let pairs = entries.into_iter().filter_map(|entry| entry.split_once('='));
        Self(
            pairs
                .map(|(name, value)| (name.to_owned(), SecretString::from(value)))
                .collect(),
        )
    }

    /// The value of `name`; `None` if unset. Whoever asks keeps it out of logs, pages and metrics.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(SecretString::expose_secret)
    }

    /// The names that are set, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl PartialEq for Environment {
    fn eq(&self, other: &Self) -> bool {
        self.names().eq(other.names()) && self.names().all(|name| self.get(name) == other.get(name))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Environment;

    #[test]
    fn a_value_can_be_asked_for_but_is_never_printed() {
        let environment = Environment::of(["DB_PASSWORD=s3=cret", "EMPTY=", "no variable", "A=1", "A=2"]);
        assert_eq!(environment.get("DB_PASSWORD"), Some("s3=cret"));
        assert_eq!(
            (
                environment.get("EMPTY"),
                environment.get("UNSET"),
                environment.get("A")
            ),
            (Some(""), None, Some("2"))
        );
        assert_eq!(format!("{environment:?}"), r#"{"A", "DB_PASSWORD", "EMPTY"}"#);
    }
}
