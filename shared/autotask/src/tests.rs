//! The client against a scripted Autotask.

mod failures;
mod reads;
mod support;
mod threads;
mod todos;
mod writes;
mod zones;
