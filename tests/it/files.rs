//! Log files of local processes: real files in a folder of the test's own, written to, rotated and cut under the edge's eyes.

mod reading;
mod rotation;
mod standing;
mod watched;
