//! The conversation with Alembic: one process, one question and one answer a line.
//! Knows the form of both (`oracle.py`); refuses to know what is asked for.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::plan::Case;

pub(super) struct Oracle {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Oracle {
    pub(super) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let questions = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            questions,
            answers,
        }
    }

    pub(super) fn ask(&mut self, case: &Case) -> Value {
        let scripts: Vec<Value> = case
            .scripts
            .iter()
            .map(|script| {
                json!({
                    "revision": script.revision,
                    "down": script.down_revisions,
                    "depends": script.depends_on,
                    "labels": script.branch_labels,
                })
            })
            .collect();
        let question = json!({"scripts": scripts, "rows": case.rows, "targets": case.targets});
        writeln!(self.questions.as_mut().unwrap(), "{question}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| {
            panic!("Alembic's process gave no answer ({error}): {line:?}\n{question}")
        })
    }
}

impl Drop for Oracle {
    /// It ends when nobody asks any more.
    fn drop(&mut self) {
        drop(self.questions.take());
        drop(self.child.wait());
    }
}
