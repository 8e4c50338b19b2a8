//! The values of a walk through a command: answers in three values, and what they rest on.

/// Yes, no, or not to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tri {
    Yes,
    No,
    Perhaps,
}

impl Tri {
    pub(super) fn of(answer: bool) -> Self {
        if answer { Self::Yes } else { Self::No }
    }

    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Perhaps,
        }
    }

    pub(super) fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Perhaps => Self::Perhaps,
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }
}

/// A variable that a condition asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// Its name.
    pub(super) variable: String,
    /// The environment's value decided; otherwise the command's default.
    pub(super) from_environment: bool,
    /// The value that decided.
    pub(super) value: String,
}

/// A command that may migrate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Whether it would run.
    pub(super) runs: Tri,
    /// The variables that its conditions asked, outermost first.
    pub(super) asked: Vec<Asked>,
    /// It is a known migration command, not just any command under a condition.
    pub(super) known: bool,
}
