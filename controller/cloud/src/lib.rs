//! What Launchway asks of AWS, in its own words: looks, which change nothing, and effects, which are sent once. What is
//! asked for, and when, is decided in `plan`; nothing here remembers an answer but the account's ID.
//!
//! ```text
//! Clouds ── at(Place, Rank) ──► Cloud ── look ──► budget ► batch ► AWS ► our words, or a Fault
//!                                    └── effect ► budget ──────► AWS ► our words, or a Fault (doubt is one)
//! ```
//!
//! `aws` is the only code that names an AWS SDK. The seam for tests is the SDK's HTTP client, one level below.

mod aws;
mod batch;
mod budget;
mod clock;
mod clouds;
#[cfg(test)]
mod fuzz;
mod operation;
mod scrub;
mod settings;
mod shared;
mod told;

pub use aws::agent::on_behalf_of;
pub use aws::codecommit::{GitRepository, Login};
pub use aws::fence::NotLeading;
pub use aws::guesses::{GUESSES, Guess, Knows};
pub use aws::logs::LogText;
pub use clouds::{Cloud, Clouds};
pub use operation::actions;
pub use settings::{MayChange, Settings};
pub use told::{CallOutcome, Tell, Told};
