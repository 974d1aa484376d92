#![doc = include_str!("../README.md")]

pub mod contract;
pub mod dice;
pub mod interleave;
pub mod memory;
pub mod model;
pub mod panicked;
pub mod program;
pub mod replay;
pub mod shaken;
pub mod side_by_side;
pub mod simulation;
pub mod stage;
pub mod visitor;
