//! Every fault at every call of the worker and of the scanner, crashes at every call, two engines at
//! once: an order ends with exactly one right bill that is linked, or refused by name.
//!
//! The calls are not listed here: each shape of order is run once without a fault, and the
//! simulators' journal tells them, so that no call is forgotten.

#![expect(clippy::print_stdout, reason = "the suite tells how many cases ran")]

mod crashes;
mod guards;
mod matrix;
mod races;
mod seeds;
mod sends;
mod shapes;
