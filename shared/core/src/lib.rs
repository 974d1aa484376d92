#![doc = include_str!("../README.md")]

pub mod books;
pub mod currency;
pub mod eligibility;
pub mod failure;
pub mod ids;
pub mod marker;
pub mod matching;
pub mod money;
pub mod notice;
pub mod orders;
pub mod plan;
pub mod policy;
pub mod ports;
#[cfg(test)]
mod properties;
pub mod protocol;
pub mod record;
pub mod settings;
pub mod tenant;
#[cfg(test)]
pub(crate) mod testing;
pub mod text;
pub mod todo;
pub mod usecase;
