//! The status page as people read it.

use migwatch::http::{Build, page};
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
