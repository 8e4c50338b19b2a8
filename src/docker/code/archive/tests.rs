//! Archives as the engine packs them, and as nobody should.

use std::io::Read;

use super::{ENTRIES, Entries, Entry, Found, LONGEST_SCRIPT, entries, find};

fn header(kind: tar::EntryType, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header
}

/// An archive of these files; a name is taken as it is.
fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, bytes) in files {
        let mut header = header(tar::EntryType::Regular, bytes.len() as u64);
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        tar.extend_from_slice(header.as_bytes());
        tar.extend_from_slice(bytes);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

fn linked(from: &str, to: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut link = header(tar::EntryType::Symlink, 0);
    tar.append_link(&mut link, from, to).unwrap();
    tar.into_inner().unwrap()
}

fn read(tar: &[u8], root: &str) -> Result<Entries, String> {
    entries(tar, root, crate::alembic::code::is_python).map(|unpacked| unpacked.entries)
}

#[test]
fn files_are_found_under_the_folder_that_was_asked_for() {
    let tar = packed(&[
        ("versions/a.py", b"a"),
        ("versions/old/b.py", b"b"),
        ("versions/x.txt", b"x"),
    ]);
    let found = read(&tar, "/srv/app/versions").unwrap();
    let paths: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(paths, ["/srv/app/versions/a.py", "/srv/app/versions/old/b.py"]);
    assert_eq!(found["/srv/app/versions/a.py"], Entry::File(b"a".to_vec()));
}

#[test]
fn a_name_that_leads_out_of_the_folder_is_left_out() {
    let tar = packed(&[
        ("versions/../../etc/a.py", b"out"),
        ("/etc/b.py", b"out"),
        ("../c.py", b"out"),
        ("versionsx/d.py", b"out"),
        ("versions/in.py", b"in"),
    ]);
    let found = read(&tar, "/srv/versions").unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found.contains_key("/srv/versions/in.py"));
}

#[test]
fn a_link_is_followed_as_far_as_the_folder_goes() {
    let mut found = read(&linked("versions/a.py", "../shared/a.py"), "/srv/versions").unwrap();
    let there = |found: &Entries| match find(found, "/srv/versions/a.py") {
        Found::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Found::Elsewhere(path) => path,
        Found::Nothing(why) => why,
    };
    assert_eq!(there(&found), "/srv/shared/a.py");
    found.insert("/srv/shared/a.py".to_owned(), Entry::File(b"shared".to_vec()));
    assert_eq!(there(&found), "shared");
    found.insert(
        "/srv/shared/a.py".to_owned(),
        Entry::Link("/srv/versions/a.py".to_owned()),
    );
    assert_eq!(there(&found), "its links lead in a circle");
}

#[test]
fn a_file_that_is_no_script_for_its_length_is_told_and_not_kept() {
    let long = vec![b'#'; LONGEST_SCRIPT + 1];
    let tar = packed(&[("versions/long.py", &long), ("versions/a.py", b"a")]);
    let found = read(&tar, "/srv/versions").unwrap();
    let Entry::Unusable(why) = &found["/srv/versions/long.py"] else {
        panic!("{found:?}");
    };
    assert!(why.contains("longer than"), "{why}");
    assert_eq!(found["/srv/versions/a.py"], Entry::File(b"a".to_vec()));
}

/// The same header again and again.
struct Endless(Vec<u8>, usize);

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        for byte in into.iter_mut() {
            *byte = self.0[self.1 % self.0.len()];
            self.1 += 1;
        }
        Ok(into.len())
    }
}

#[test]
fn an_archive_that_never_ends_is_given_up() {
    for size in [1, 4096] {
        let one = packed(&[("versions/a.py", &vec![b'a'; size])]);
        let one = one[..one.len() - 1024].to_vec();
        let why = entries(Endless(one, 0), "/srv/versions", |_| true).unwrap_err();
        assert!(why.contains(&format!("more than {ENTRIES} files")), "{why}");
    }
}

#[test]
fn what_claims_to_be_larger_than_it_is_breaks_off_without_taking_the_memory() {
    let mut header = header(tar::EntryType::Regular, 1 << 40);
    header.set_path("versions/a.py").unwrap();
    header.set_cksum();
    assert!(read(header.as_bytes(), "/srv/versions").is_err());
    let mut cut = packed(&[("versions/a.py", &[b'a'; 2000])]);
    cut.truncate(700);
    assert!(read(&cut, "/srv/versions").is_err());
}

#[test]
fn what_is_no_archive_is_an_error_and_an_empty_one_is_empty() {
    assert!(read(&[b'x'; 2048], "/srv/versions").is_err());
    assert_eq!(read(&[], "/srv/versions"), Ok(Entries::new()));
}
