//! Paths as text.
//!
//! Promises plain POSIX paths: no `.`, no doubled slash, and `..` only at the front of a relative one. Refuses to look at a disk: where a
//! folder is a symbolic link, `link/..` is taken for the folder that the link lies in.

/// `path` as seen from the folder `base`; an absolute one stays what it is.
pub fn join(base: &str, path: &str) -> String {
    if path.starts_with('/') {
        return normal(path);
    }
    normal(&format!("{base}/{path}"))
}

/// `path` without detours. The folder one is in is `.`.
pub fn normal(path: &str) -> String {
    let is_absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            // There is nothing above the root.
            ".." if is_absolute => {}
            _ => parts.push(part),
        }
    }
    let root = if is_absolute { "/" } else { "" };
    let path = format!("{root}{}", parts.join("/"));
    if path.is_empty() { ".".to_owned() } else { path }
}

/// The folder that an absolute path lies in; the root lies in itself.
pub fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((above, _)) => above,
    }
}

/// Whether a normal path is `folder` or lies in it.
pub fn is_within(path: &str, folder: &str) -> bool {
    let inside = path.strip_prefix(folder.trim_end_matches('/'));
    inside.is_some_and(|inside| inside.is_empty() || inside.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{is_within, join, normal, parent};

    #[test]
    fn a_path_has_no_detours() {
        for (path, expected) in [
            ("", "."),
            (".", "."),
            ("/", "/"),
            ("a//b/./c/", "a/b/c"),
            ("a/../b", "b"),
            ("a/../../b", "../b"),
            ("../../b", "../../b"),
            ("/../../etc", "/etc"),
            ("/app/../../x", "/x"),
            ("...", "..."),
            ("한글/.. /x", "한글/.. /x"),
        ] {
            assert_eq!(normal(path), expected, "{path}");
        }
    }

    #[test]
    fn a_relative_path_is_seen_from_its_folder() {
        assert_eq!(join("/srv/app", "db/migrations"), "/srv/app/db/migrations");
        assert_eq!(join("/srv/app", "../db"), "/srv/db");
        assert_eq!(join("/srv/app", "/opt/db"), "/opt/db");
        assert_eq!(join(".", "db"), "db");
    }

    #[test]
    fn a_folder_holds_itself_and_what_is_in_it_and_not_what_only_begins_so() {
        assert_eq!(
            (parent("/srv/app"), parent("/srv"), parent("/")),
            ("/srv", "/", "/")
        );
        for (path, folder, expected) in [
            ("/srv/app", "/srv/app", true),
            ("/srv/app/a.py", "/srv/app", true),
            ("/srv/application", "/srv/app", false),
            ("/srv", "/srv/app", false),
            ("/srv", "/", true),
        ] {
            assert_eq!(is_within(path, folder), expected, "{path} in {folder}");
        }
    }

    proptest! {
        #[test]
        fn what_is_normal_stays_so(path in "[a./]{0,20}") {
            let once = normal(&path);
            prop_assert_eq!(normal(&once), once.clone());
            prop_assert_eq!(once.starts_with('/'), path.starts_with('/'));
            prop_assert!(!once.trim_start_matches("../").contains("/../"));
        }
    }
}
