//! What strangers send, made worse: each target takes inputs that are right or nearly right from its
//! folder in `tests/fuzz-corpus`, changes them in ways that are random and the same in every run, and
//! checks what the product makes of them. Nothing may panic, fail without a word, or be taken for
//! more than it is.
//!
//! `PURSER_FUZZ_CASES=200000` makes more inputs of each target and `PURSER_FUZZ_SEED=7` others. An
//! input that fails is made as small as may be, kept in a file, and named with the command that
//! gives it to its target again.

mod answers;
mod autotask;
mod bodies;
mod callback;
mod cookies;
mod harness;
mod intuit;
mod json;
mod messages;
mod mutate;
mod questions;
mod quickbooks;
mod runs;
mod settings;
mod web;
