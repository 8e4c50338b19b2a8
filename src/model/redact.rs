//! Takes secrets out of foreign text before anybody keeps it.
//!
//! Promises that what looks like a password, token or credential in a URL becomes `***`. Over-redacts rather than under-redacts.

use std::sync::LazyLock;

use regex::Regex;

static PATTERNS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        // scheme://user:password@host, also with an empty user, and with an @ in either: the last one of the word counts
        (
            r#"(?i)\b([a-z][a-z0-9+.-]*://[^\s:/]*):[^\s@]+@(?:[^\s@"'<>,;|]*@)*"#,
            "$1:***@",
        ),
        // password=..., "token": "...", PGPASSWORD=..., DB_PASS=...
        (
            r#"(?i)((?:[a-z0-9_-]*(?:passw(?:or)?d|passphrase|pwd|secret|token|api_?key|credential)[a-z0-9_-]*|[a-z0-9_-]*pass[0-9_]*)["']?)(\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&)]+)"#,
            "$1$2***",
        ),
        // --password secret, -token secret, --db-pass secret: an option's value after a blank
        (
            r#"(?i)((?:--?[a-z0-9_-]*(?:passw(?:or)?d|passphrase|pwd|secret|token|api_?key|credential)[a-z0-9_-]*|--(?:[a-z0-9_-]*[_-])?pass)\s+)("[^"]*"|'[^']*'|[^\s,;&)]+)"#,
            "$1***",
        ),
        // SQL: PASSWORD 'secret', IDENTIFIED BY 'secret'
        (
            r#"(?i)(\b(?:user|role)\b[^;]*?\b(?:password|identified\s+by)\s+)("[^"]*"|'[^']*')"#,
            "$1***",
        ),
        (r"(?i)\b(authorization:?\s*(?:bearer|basic)?\s+)\S+", "$1***"),
        // the clients' short option: mysql -psecret, mysqladmin -psecret
        (r"(?i)(\b(?:mysql|mariadb)[a-z-]*\b[^|;&]*?\s-p)[^\s-]\S*", "$1***"),
    ]
    .into_iter()
    .filter_map(|(pattern, with)| Regex::new(pattern).ok().map(|regex| (regex, with)))
    .collect()
});

/// `text` with its secrets replaced by `***`.
pub fn redact(text: &str) -> String {
    let mut redacted = text.to_owned();
    for (pattern, with) in PATTERNS.iter() {
        if let std::borrow::Cow::Owned(changed) = pattern.replace_all(&redacted, *with) {
            redacted = changed;
        }
    }
    redacted
}

/// `text` cut to at most `limit` characters, with an ellipsis where it was cut.
pub fn shorten(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::{PATTERNS, redact, shorten};

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(PATTERNS.len(), 6);
    }

    #[test]
    fn passwords_and_tokens_disappear_in_every_common_form() {
        for (text, secret) in [
            ("mysql+pymysql://root:s3cret@db:3306/app", "s3cret"),
            ("redis://:s3cret@cache/0", "s3cret"),
            ("mysql://root:p@s3cret@db/app", "s3cret"),
            ("mysql://root:s3@cr@t@db:3306/app", "cr"),
            ("postgres://app@server:s3cret@db/app", "s3cret"),
            ("DB_PASS=s3cret alembic upgrade head", "s3cret"),
            ("env DBPASS=s3cret MYSQL_PASS2='s3cret too' ./start", "s3cret"),
            (r#"{"smtp_pass": "s3cret", "passphrase": "s3cret"}"#, "s3cret"),
            ("backup --db-pass s3cret --pass s3cret", "s3cret"),
            ("mysqladmin ping -uroot -ps3cret", "s3cret"),
            ("PGPASSWORD=s3cret psql -c 'select 1'", "s3cret"),
            ("mysql --password=s3cret -e x", "s3cret"),
            ("mysql --password s3cret -e x", "s3cret"),
            (r#"{"db_password": "s3cret"}"#, "s3cret"),
            ("curl -H 'Authorization: Bearer s3cret' x", "s3cret"),
            ("api_key=s3cret&x=1", "s3cret"),
            ("CREATE USER a IDENTIFIED BY 's3cret'", "s3cret"),
            ("ALTER ROLE a WITH PASSWORD 's3cret'", "s3cret"),
        ] {
            let redacted = redact(text);
            assert!(!redacted.contains(secret), "{redacted}");
            assert!(redacted.contains("***"), "{redacted}");
        }
    }

    #[test]
    fn what_is_no_secret_of_a_url_stays() {
        for (text, redacted) in [
            (
                "mysql://root:p@ss@db:3306/app refused",
                "mysql://root:***@db:3306/app refused",
            ),
            (
                r#"{"url":"mysql://a:b@db/x","by":"kim@example.com"}"#,
                r#"{"url":"mysql://a:***@db/x","by":"kim@example.com"}"#,
            ),
        ] {
            assert_eq!(redact(text), redacted);
        }
    }

    #[test]
    fn ordinary_text_is_left_as_it_is() {
        for text in [
            "Can't DROP INDEX `ix_user`; check that it exists",
            "Can't locate revision identified by 'e1b7a90c42f6'",
            "FATAL: password authentication failed for user \"reports\"",
            "WHERE passengers.passed = 12 -- in a two-pass way",
            "Connection to postgresql://db:5432/app refused, ask ops@example.com",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    #[test]
    fn shortening_counts_characters_not_bytes() {
        assert_eq!(shorten("마이그레이션", 3), "마이그…");
        assert_eq!(shorten("abc", 3), "abc");
    }
}
