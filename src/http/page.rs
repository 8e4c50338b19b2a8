//! The status page: everything on one page, without scripts.

use super::Build;
use crate::model::status::Status;

/// The page as HTML; with `still` it does not refresh itself.
pub fn render(_status: &Status, _build: &Build, _still: bool) -> String {
    String::new()
}
