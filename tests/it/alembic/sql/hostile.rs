//! Texts that take for ever if any step looks at all that is left for every piece.
//! Refuses to say how fast reading is.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use migwatch::alembic::sql::statements;

/// All of it takes seconds; with one step that looks at the rest for every piece, a single text takes longer than this.
const LIMIT: Duration = Duration::from_secs(60);
/// Bytes of each text.
const LENGTH: usize = 150_000;

/// What a text is begun with, so that its pieces are read by the step that they are meant for.
const HEADS: [&str; 7] = [
    "",
    "DO $q$ BEGIN ",
    "ALTER TABLE t ",
    "DROP TABLE ",
    "EXECUTE IMMEDIATE ",
    "DELETE a FROM ",
    "UPDATE ",
];

const PIECES: [&str; 40] = [
    "'",
    "\"",
    "`",
    "\\",
    "\\'",
    "$a$ $b$ ",
    "/* /* */ ",
    "/*!40000 ",
    "--",
    "#>",
    "\n",
    ";",
    "(",
    ")",
    "[",
    ",",
    ".",
    ":x",
    "%(",
    "||",
    " BEGIN ",
    " END ",
    " CASE ",
    " IF ",
    " THEN ",
    " LOOP ",
    " DELIMITER ",
    " FORMAT(",
    "'\\'' ",
    "ALTER TABLE t DROP a, ",
    "DELETE a, ",
    "IF a THEN ",
    "CREATE PROCEDURE p() BEGIN ; ",
    "EXECUTE '",
    "WITH a AS (",
    "DO $$ BEGIN ",
    "<< >> ",
    "MERGE INTO t THEN ",
    "INSERT INTO t KEY KEY ",
    "x.x.",
];

/// The bodies of these never end; each is short work, so that only a longer text tells.
const UNENDED: [&str; 2] = ["CREATE PROCEDURE p() BEGIN ; ", "/* /* */ "];
const LONGER: usize = 1_000_000;

#[test]
fn reading_takes_time_by_the_length_of_a_text_and_not_by_its_square() {
    let (done, is_done) = channel();
    thread::spawn(move || {
        for piece in PIECES {
            let pieces = piece.repeat(LENGTH / piece.len());
            for head in HEADS {
                statements(&format!("{head}{pieces}"));
            }
            if UNENDED.contains(&piece) {
                statements(&piece.repeat(LONGER / piece.len()));
            }
            if done.send(piece).is_err() {
                return;
            }
        }
    });
    for piece in PIECES {
        assert_eq!(
            is_done.recv_timeout(LIMIT),
            Ok(piece),
            "{piece:?} was not read in time"
        );
    }
}
