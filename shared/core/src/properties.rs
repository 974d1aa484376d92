//! What holds for every amount, name, day, mark and message, not only for the ones that somebody
//! thought of: see the README of `purser-cases`.

mod bills;
mod identifiers;
mod marks;
mod messages;
mod money;
mod names;
mod paper;
mod settings;
mod waits;
mod windows;
