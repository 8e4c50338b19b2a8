//! Values that may lie in files of their own: secrets and certificates. Relative paths begin at the configuration's folder.
//!
//! Promises that what a secret holds is in no sentence.

use std::fs::File;
use std::path::PathBuf;

use secrecy::SecretString;

use super::section::Section;

/// A secret with the key that gave it: `url` or `url_file`.
pub(super) struct Given {
    pub(super) key: String,
    pub(super) secret: SecretString,
}

impl Section<'_> {
    /// A secret, given as it is (`key`) or by a file (`key_file`).
    pub(super) fn secret(&mut self, key: &str) -> Option<Given> {
        let file_key = format!("{key}_file");
        match (self.given(key), self.given(&file_key)) {
            (None, None) => None,
            (Some(secret), None) => Some(Given {
                key: key.to_owned(),
                secret: secret.into(),
            }),
            (None, Some(file)) => {
                let secret = self.content(&file_key, &file)?;
                Some(Given {
                    key: file_key,
                    secret,
                })
            }
            (Some(_), Some(_)) => {
                self.wrong(&file_key, format!("and {key} are both given: leave one out"));
                None
            }
        }
    }

    /// A secret that may not be left out.
    pub(super) fn needed_secret(&mut self, key: &str) -> Option<Given> {
        let said = self.notes.count();
        let secret = self.secret(key);
        if secret.is_none() && self.notes.count() == said {
            self.wrong(key, format!("is needed: give {key} or {key}_file"));
        }
        secret
    }

    fn content(&self, key: &str, file: &str) -> Option<SecretString> {
        let path = self.notes.folder().join(file);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                self.wrong(key, format!("cannot read {}: {error}", path.display()));
                return None;
            }
        };
        let secret = text.trim_end_matches(['\n', '\r']);
        if secret.is_empty() {
            self.wrong(key, format!("names {}, which is empty", path.display()));
            return None;
        }
        Some(secret.into())
    }

    /// A file that is read later, and must be there already.
    pub(super) fn file(&mut self, key: &str) -> Option<PathBuf> {
        let file = self.given(key)?;
        let path = self.notes.folder().join(file);
        if let Err(error) = File::open(&path) {
            self.wrong(key, format!("cannot read {}: {error}", path.display()));
        }
        Some(path)
    }
}
