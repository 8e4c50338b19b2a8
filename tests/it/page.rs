//! The status page as people read it.

use migwatch::http::{Build, page};
use migwatch::model::migration::Rule;
use migwatch::model::status::Status;

use crate::support::sample_status;

fn rendered(status: &Status) -> String {
    let build = Build {
        version: "0.1.0".into(),
        revision: "abc1234".into(),
    };
    page::render(status, &build, false)
}

/// Writes the pages to the folder that the variable names, to be looked at in a browser.
#[test]
fn every_page_is_whole_html_and_can_be_written_for_looking_at() {
    let folder = std::env::var_os("MIGWATCH_TEST_PAGES");
    for (name, status) in [
        ("rich", sample_status::rich()),
        ("empty", sample_status::empty()),
        ("away", sample_status::engine_away()),
    ] {
        let html = rendered(&status);
        assert!(
            html.starts_with("<!DOCTYPE html>") && html.ends_with("</body></html>"),
            "{name}"
        );
        if let Some(folder) = &folder {
            std::fs::write(std::path::Path::new(folder).join(format!("{name}.html")), html).unwrap();
        }
    }
}

#[test]
fn foreign_text_is_shown_as_text() {
    let html = rendered(&sample_status::rich());
    assert!(
        html.contains("fk_&lt;b&gt;user&lt;/b&gt;") && !html.contains("<b>user"),
        "{html}"
    );
    assert!(!html.contains("<script") && !html.contains("http://") && !html.contains("src="));
}

#[test]
fn what_matters_stands_on_the_page_worst_first() {
    let html = rendered(&sample_status::rich());
    let mut after = 0;
    for expected in [
        "<title>(2) prod-1.example.com · migwatch</title>",
        "migwatch is not all right",
        "the disk refuses the journal",
        "UnexpectedMigration",
        "migwatch ack bbbbbbbbbbbb-mfx261",
        "ProxyDown",
        "1 resolved lately",
        "restart loop",
        "RUN_MIGRATIONS=true in the environment",
        "skipped migrations",
        "answered 502, expected 200",
        "초기 리비전 이후 대량 인덱스 정리 및 테이블 드롭",
        "drop missing",
        "Acknowledged by kim",
        "before the watch",
        "no version table",
        "not connected",
        "2 waiting",
        "did you mean migwatch.migrations?",
    ] {
        let found = html[after..]
            .find(expected)
            .unwrap_or_else(|| panic!("{expected} is missing or too early"));
        after += found;
    }
}

#[test]
fn what_is_expected_stands_on_the_page_and_at_each_migration_what_covered_it() {
    let mut status = sample_status::rich();
    let covered = status.migrations.first_mut().expect("there are migrations");
    covered.judgement.rule = Rule::Approved;
    covered.judgement.expectation = Some("ap-mfx0z4qa".into());
    let html = rendered(&status);
    for expected in [
        "window nightly",
        "covers coe-demo/coe-ragpipeline",
        "id=\"a-ap-mfx0z4qa\"",
        "approve by kim",
        "릴리스 42 &lt;b&gt;",
        "only to <code>c0ffee123456</code>",
        "only by one_off, exec",
        "the database may be replaced",
        "used up",
        "href=\"#m-bbbbbbbbbbbb-mfx261\"",
        "approval <a href=\"#a-ap-mfx0z4qa\">",
        "migration expected",
    ] {
        assert!(html.contains(expected), "{expected}");
    }
    assert!(!rendered(&sample_status::empty()).contains("Expected migrations"));
}

#[test]
fn the_first_seconds_and_an_engine_away_are_said_plainly() {
    let html = rendered(&sample_status::empty());
    for expected in [
        "connecting",
        "the first look is not done yet",
        "No compose service was seen yet.",
    ] {
        assert!(html.contains(expected), "{expected}");
    }
    assert!(!html.contains("not all right"));
    let html = rendered(&sample_status::engine_away());
    assert!(html.contains("The engine is away") && html.contains("systemctl start docker"));
}

#[test]
fn a_page_that_is_held_still_does_not_refresh_itself() {
    let build = Build::default();
    assert!(page::render(&sample_status::rich(), &build, false).contains("http-equiv=\"refresh\""));
    assert!(!page::render(&sample_status::rich(), &build, true).contains("http-equiv"));
}
