//! The API as users meet it, on the real API server: what is admitted, what is refused and in which words, and what
//! kubectl shows. What a controller makes of the objects is not looked at here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod attacks;
mod forms;
mod full;
mod kubectl;
mod limits;
mod rules;
mod server;
mod table;
