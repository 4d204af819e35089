//! Decisions about Services, tested in an ECS in miniature.

mod converging;
mod deleting;
mod rolling;
mod rows;
mod states;
