#![doc = include_str!("../README.md")]

pub mod environment;
mod function;
mod scan;
mod secrets;
mod sweep;
mod web;
mod work;

pub use function::{Function, FunctionPorts};
pub use web::WebFunction;
