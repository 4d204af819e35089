//! Git remotes for tests and the quick start: one in memory for virtual time, a real one on loopback. Clones are made
//! by git itself.

mod objects;
mod repositories;
mod repository;
pub mod sample;
mod server;
mod statuses;

pub use repositories::{Asked, Repositories, Trouble, commit_id};
pub use repository::{File, Hash, Repository};
pub use server::{Protocol, Server};
pub use statuses::Status;

/// Who may read a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Open,
    /// Who knows this user and password.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: String,
    },
    /// Who sends this as a bearer token.
    Bearer(String),
}

impl Access {
    fn admits(&self, authorization: Option<&http::HeaderValue>) -> bool {
        let wanted = match self {
            Access::Open => return true,
            Access::Basic { username, password } => format!("Basic {}", base64(&format!("{username}:{password}"))),
            Access::Bearer(token) => format!("Bearer {token}"),
        };
        authorization.is_some_and(|sent| sent.as_bytes() == wanted.as_bytes())
    }
}

fn base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}
