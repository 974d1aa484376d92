//! The client against a scripted Autotask.

#![expect(clippy::match_bool, reason = "a script reads as a table of answers")]

mod failures;
mod logs;
mod reads;
mod support;
mod threads;
mod todos;
mod writes;
mod zones;
