//! What was seen of a commit that was not there before: what it says, and what it changes. Nothing is judged here.

/// What a commit says, and what differs from the commit that was released last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The commit.
    pub commit: String,
    /// The commit that it was compared with; absent: none was released yet.
    pub base: Option<String>,
    /// Its message, or the beginning of it.
    pub message: String,
    /// What differs.
    pub differs: Differs,
}

/// What differs between two commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Differs {
    /// A file that counts: this is the first that was found.
    File(String),
    /// No file that counts.
    Nothing,
    /// It was not asked: every file counts, or nothing was released yet.
    NotAsked,
    /// It cannot be told, and why.
    Unknown(Unknown),
}

/// Why it cannot be told what differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// The server has the older commit no longer: its history was rewritten.
    Rewritten,
    /// More differs than is looked at.
    TooMuch,
    /// The server does not give all folders of both commits, or what it gives cannot be read.
    Unreadable,
}

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Rewritten => {
                "every file counted as changed: the branch's history was rewritten, and the commit that was released last is not on the git server any more"
            }
            Self::TooMuch => "every file counted as changed: too much differs to look at all of it",
            Self::Unreadable => "every file counted as changed: the git server does not give all folders of both commits",
        })
    }
}
