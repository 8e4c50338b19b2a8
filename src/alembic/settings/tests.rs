//! Files of settings, each with what Alembic's own `Config` makes of it: Alembic 1.20 on Python 3.11 gave the values and the refusals of
//! the tables. That a package is a folder, and that paths have no detours, are rules of ours.

use proptest::prelude::*;

use super::{Kind, LONGEST_FILE, Settings, read};

/// `SCRIPT_LOCATION [VERSION|LOCATIONS] RECURSIVE`, or `refused`.
fn said(kind: Kind, text: &str, section: &str) -> String {
    match read(kind, text.as_bytes(), "/srv/app", section) {
        Err(_) => "refused".to_owned(),
        Ok(settings) => format!(
            "{} [{}] {}",
            settings.script_location.unwrap_or_default(),
            settings.version_locations.join("|"),
            settings.recursive.unwrap_or(false)
        ),
    }
}

fn check(kind: Kind, rows: &[(&str, &str, &str)]) {
    for (text, section, expected) in rows {
        assert_eq!(said(kind, text, section), *expected, "{text}");
    }
}

#[test]
fn locations_are_what_alembic_makes_of_them() {
    check(
        Kind::Ini,
        &[
            (
                "[alembic]\nscript_location = m\nfile_template = %Y\n",
                "alembic",
                "m [] false",
            ),
            (
                "[alembic]\nscript_location = m\nversion_path_separator = comma\n",
                "alembic",
                "m [] false",
            ),
            (
                "[alembic]\nscript_location = m\npath_separator = :\nversion_path_separator = ;\nversion_locations = a;b:c\n",
                "alembic",
                "m [a;b|c] false",
            ),
            (
                "[alembic]\nscript_location = m\n[a]b]\nk = v\n",
                "alembic",
                "m [] false",
            ),
            ("[alembic]\nscript_location: db:x\n", "alembic", "db/x [] false"),
            (
                "# c\n; d\n[alembic]\n# script_location = no\n  ; x\nscript_location = a ; not a comment\n",
                "alembic",
                "a ; not a comment [] false",
            ),
            (
                "[alembic]\nscript_location = m\npath_separator = newline\nversion_locations =\n    a/versions\n    # comment\n\n    b/versions\n  %(here)s/c\nx = 1\n",
                "alembic",
                "m [a/versions|b/versions|/srv/app/c] false",
            ),
            (
                "[alembic]\r\nscript_location = m\r\nversion_locations = a\r\n  b\r\n",
                "alembic",
                "m [a\nb] false",
            ),
            (
                "[DEFAULT]\nbase = /srv/db\nscript_location = %(base)s/d\n[alembic]\nversion_locations = %(BASE)s/v\n[other]\nx=y\n",
                "alembic",
                "/srv/db/d [/srv/db/v] false",
            ),
            ("[DEFAULT]\nscript_location = d\n", "alembic", " [] false"),
            (
                "[alembic]\nscript_location = ./a/../b//c/\n",
                "alembic",
                "b/c [] false",
            ),
        ],
    );
}

#[test]
fn sections_and_lines_are_read_as_python_reads_them() {
    check(
        Kind::Ini,
        &[
            (
                "[DEFAULT]\na = 1\n[alembic]\nscript_location = %(a)s%(b)s\n[DEFAULT]\nb = 2\n",
                "alembic",
                "12 [] false",
            ),
            ("[alembic]\nscript_location =\n", "alembic", ". [] false"),
            (
                "[alembic]\nscript_location = a=b:c\nversion_locations : x=y\n",
                "alembic",
                "a=b/c [x=y] false",
            ),
            (
                "[alembic]\nscript_location = 100%%/x\n",
                "alembic",
                "100%/x [] false",
            ),
            (
                "[alembic] trailing\nscript_location = [x]\n",
                "alembic",
                "[x] [] false",
            ),
            (
                "[alembic]\nscript_location = %(here)s/db/migrations\nsqlalchemy.url = postgresql://u:p%%40@db/x\n",
                "alembic",
                "/srv/app/db/migrations [] false",
            ),
            (
                "[DEFAULT]\nhere = /else\n[alembic]\nscript_location = %(here)s/m\n",
                "alembic",
                "/else/m [] false",
            ),
            (
                "[alembic]\nscript_location = %(here)s%(here)s\n",
                "alembic",
                "/srv/app/srv/app [] false",
            ),
            (
                "[alembic]\n  script_location = m\n  version_locations = a\n    b\n file_template = x\n",
                "alembic",
                "m [a\nb] false",
            ),
            (
                "[alembic]\nscript_location = 마이그레이션\n",
                "alembic",
                "마이그레이션 [] false",
            ),
            (
                "[alembic]\nscript_location = m\nversion_locations = a, b  c,d ,e\n",
                "alembic",
                "m [a|b|c|d|.|e] false",
            ),
        ],
    );
}

#[test]
fn separators_and_values_are_read_as_alembic_reads_them() {
    check(
        Kind::Ini,
        &[
            (
                "[alembic]\nscript_location = m\npath_separator = os\nversion_locations = a/v:%(here)s/b:: c \n",
                "alembic",
                "m [a/v|/srv/app/b|c] false",
            ),
            (
                "[alembic]\nscript_location = json:tool\n",
                "alembic",
                "json/tool [] false",
            ),
            (
                "[alembic]\nscript_location = migrations\n",
                "alembic",
                "migrations [] false",
            ),
            (
                "[alembic]\nscript_location = m\nrecursive_version_locations = true\n",
                "alembic",
                "m [] true",
            ),
            (
                "[alembic]\nscript_location = m\nrecursive_version_locations = True\n",
                "alembic",
                "m [] false",
            ),
            (
                "[alembic]\nscript_location = m\n[prod]\nscript_location = p\n",
                "alembic",
                "m [] false",
            ),
            (
                "[alembic]\nscript_location = m\n[prod]\nscript_location = p\n",
                "prod",
                "p [] false",
            ),
            (
                "[alembic]\nscript_location = m\nversion_path_separator = ;\nversion_locations = a;b\n",
                "alembic",
                "m [a|b] false",
            ),
            (
                "[alembic]\nscript_location = m\nversion_path_separator = space\nversion_locations = a  b c\n",
                "alembic",
                "m [a|b|c] false",
            ),
            (
                "[alembic]\nscript_location\t=\tm\n\tversions\n",
                "alembic",
                "m\nversions [] false",
            ),
            (
                "[alembic]\nSCRIPT_Location = A/B\nPrepend_Sys_Path = .\n",
                "alembic",
                "A/B [] false",
            ),
        ],
    );
}

#[test]
fn what_python_refuses_is_refused() {
    check(
        Kind::Ini,
        &[
            (
                "[alembic]\nscript_location = m\nversion_path_separator = comma\nversion_locations = a, b\n",
                "alembic",
                "refused",
            ),
            ("\u{feff}[alembic]\nscript_location = m\n", "alembic", "refused"),
            (
                "[alembic]\nscript_location = a\nscript_location = b\n",
                "alembic",
                "refused",
            ),
            (
                "[alembic]\nscript_location = a\n[x]\n[alembic]\n",
                "alembic",
                "refused",
            ),
            ("[alembic]\n = x\nscript_location = m\n", "alembic", "refused"),
            (
                "[alembic]\nscript_location = %(a)s\na = %(b)s\nb = %(a)s\n",
                "alembic",
                "refused",
            ),
            (
                "[alembic]\nscript_location = %(nowhere)s/x\n",
                "alembic",
                "refused",
            ),
            ("[alembic]\nscript_location\n", "alembic", "refused"),
            ("script_location = d\n", "alembic", "refused"),
            ("[alembic]\nscript_location = 100%\n", "alembic", "refused"),
        ],
    );
}

#[test]
fn pyproject_has_lists_and_one_section() {
    check(
        Kind::Pyproject,
        &[
            (
                "[tool.alembic]\nscript_location = \"100%\"\n",
                "alembic",
                "refused",
            ),
            ("[tool.alembic\n", "alembic", "refused"),
            (
                "[tool.alembic]\nscript_location = \"m\"\nversion_locations = [\"a:b\", \"%(here)s/v\", \"x\"]\nrecursive_version_locations = true\n",
                "alembic",
                "m [a/b|/srv/app/v|x] true",
            ),
            ("[project]\nname = \"x\"\n", "alembic", " [] false"),
            (
                "[tool.alembic]\nscript_location = \"100%%/m\"\n",
                "alembic",
                "100%/m [] false",
            ),
            (
                "[tool.alembic]\nscript_location = \"%(here)s/m\"\n",
                "alembic",
                "/srv/app/m [] false",
            ),
            ("[tool]\nalembic = 3\n", "alembic", "refused"),
            (
                "[tool.alembic]\nscript_location = \"m\"\nrecursive_version_locations = \"true\"\n",
                "alembic",
                "refused",
            ),
        ],
    );
}

#[test]
fn a_refusal_names_the_file_and_the_line_and_no_value() {
    let text = "[alembic]\nsqlalchemy.url = postgresql://u:hunter2@db/x\nhunter2\n";
    let refusal = read(Kind::Ini, text.as_bytes(), "/srv/app", "alembic").unwrap_err();
    assert_eq!(refusal.path, "/srv/app/alembic.ini");
    assert_eq!(refusal.reason, "line 3: it has neither = nor :");
    let refusal = read(Kind::Pyproject, b"[tool.alembic\n", "/srv/app", "alembic").unwrap_err();
    assert_eq!(refusal.path, "/srv/app/pyproject.toml");
    assert!(refusal.reason.starts_with("line 1: "), "{}", refusal.reason);
}

#[test]
fn the_url_of_the_database_is_not_taken_in() {
    let text =
        "[alembic]\nsqlalchemy.url = postgresql://u:hunter2@db/x\nscript_location = %(sqlalchemy.url)s\n";
    let refusal = read(Kind::Ini, text.as_bytes(), "/srv/app", "alembic").unwrap_err();
    assert_eq!(
        refusal.reason,
        "the value of script_location refers to sqlalchemy.url, which is not there"
    );
}

#[test]
fn bytes_that_are_no_text_or_too_many_are_refused() {
    for kind in [Kind::Ini, Kind::Pyproject] {
        let reason = |bytes: &[u8]| read(kind, bytes, "/srv/app", "alembic").unwrap_err().reason;
        assert_eq!(reason(b"[alembic]\nscript_location = \xff"), "it is not UTF-8");
        assert!(reason(&vec![b'\n'; LONGEST_FILE + 1]).contains("settings are shorter"));
    }
}

#[test]
fn alembic_ini_is_asked_first_and_pyproject_for_the_rest() {
    let of = |kind, text: &str| read(kind, text.as_bytes(), "/srv/app", "alembic").unwrap();
    let toml = of(
        Kind::Pyproject,
        "[tool.alembic]\nscript_location = \"t\"\nversion_locations = [\"tv\"]\nrecursive_version_locations = true\n",
    );
    let ini = of(
        Kind::Ini,
        "[alembic]\nscript_location = i\nrecursive_version_locations = false\n",
    );
    let both = ini.or(toml.clone());
    assert_eq!(both.script_location.as_deref(), Some("i"));
    assert_eq!(both.versions(), ["tv"]);
    assert_eq!(both.recursive, Some(false));
    assert_eq!(of(Kind::Ini, "[loggers]\nkeys = root\n").or(toml.clone()), toml);
}

#[test]
fn revisions_lie_in_versions_unless_said_otherwise() {
    let settings = Settings {
        script_location: Some("/srv/db".to_owned()),
        ..Settings::default()
    };
    assert_eq!(settings.versions(), ["/srv/db/versions"]);
    assert!(Settings::default().versions().is_empty());
}

#[test]
fn a_package_is_the_folder_of_its_name() {
    check(
        Kind::Ini,
        &[(
            "[alembic]\nscript_location = shop.db:migrations\n",
            "alembic",
            "shop/db/migrations [] false",
        )],
    );
}

#[test]
fn values_that_multiply_end_in_a_refusal() {
    // Without a limit on steps this gives an empty text after a million of them.
    let level = |level: usize| format!("%(a{level})s").repeat(100);
    let text = format!(
        "[alembic]\nscript_location = {}\na1 = {}\na2 = {}\na3 =\n",
        level(1),
        level(2),
        level(3)
    );
    assert_eq!(said(Kind::Ini, &text, "alembic"), "refused");
    let text = format!(
        "[alembic]\nscript_location = {}\na1 = {}\n",
        "%(a1)s".repeat(900),
        "x".repeat(200)
    );
    assert_eq!(said(Kind::Ini, &text, "alembic"), "refused");
    let text = format!("[alembic]\nscript_location = {}\na1 = x\n", "%(a1)s".repeat(9));
    assert_eq!(said(Kind::Ini, &text, "alembic"), "xxxxxxxxx [] false");
}

proptest! {
    #[test]
    fn any_bytes_give_settings_or_a_refusal(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "[\\[\\]a%()s=:;# \n\r\t.\"é]{0,200}") {
        for kind in [Kind::Ini, Kind::Pyproject] {
            let _ = read(kind, &bytes, "/srv/app", "alembic");
            let _ = read(kind, format!("[alembic]\nscript_location = {text}").as_bytes(), "/srv/app", "alembic");
            let _ = read(kind, format!("[tool.alembic]\nscript_location = \"{text}\"").as_bytes(), "/srv/app", "alembic");
        }
    }
}
