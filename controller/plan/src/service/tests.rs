//! Decisions about Services, tested in an ECS in miniature.

mod absent;
mod chores;
mod converging;
mod deleting;
mod holding;
mod meaning;
mod rolling;
mod rows;
mod states;
mod tasks;
mod upgrade;
