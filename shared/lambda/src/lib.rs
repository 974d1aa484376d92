#![doc = include_str!("../README.md")]

// What a `main.rs` awaits is boxed: the code of a future is made where it is put into a box, and so
// once, here, and not in each of the eight functions.

pub mod environment;
mod function;
mod scan;
mod secrets;
mod sweep;
mod web;
mod work;

pub use function::{Function, FunctionPorts};
pub use web::WebFunction;
