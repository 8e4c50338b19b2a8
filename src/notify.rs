//! The edge notify.
